// See search_parts.h.
#include "provenance/search_parts.h"

#include <algorithm>
#include <cmath>

namespace gatehouse::provenance {
namespace {

// A small index does not know what is rare: it counts as if it had this many outputs.
constexpr std::uint64_t fewest_outputs = 1'000;
constexpr std::uint64_t few_share = 32;
constexpr unsigned part_shift = 24;

OutputKey key_of(std::size_t part, std::uint32_t output) {
  return static_cast<OutputKey>(part) << part_shift | output;
}
std::size_t part_of(OutputKey key) {
  return static_cast<std::size_t>(key >> part_shift);
}
std::uint32_t output_of(OutputKey key) {
  return static_cast<std::uint32_t>(key & ((1u << part_shift) - 1));
}

// The greatest sums so far.
class Best {
 public:
  explicit Best(std::size_t most) : most_(most) {}

  float least() const { return heap_.size() < most_ ? 0.0F : heap_.front().first; }
  void add(float sum, OutputKey key) {
    if (heap_.size() == most_) {
      std::ranges::pop_heap(heap_, std::greater<>());
      heap_.pop_back();
    }
    heap_.emplace_back(sum, key);
    std::ranges::push_heap(heap_, std::greater<>());
  }
  std::vector<OutputKey> take() const {
    std::vector<OutputKey> best;
    for (const auto& [sum, key] : heap_) best.push_back(key);
    return best;
  }

 private:
  std::size_t most_;
  std::vector<std::pair<float, OutputKey>> heap_;
};

// Calls `take` for each term that both sorted lists have.
template <class Take>
void for_each_shared(const Bag& bag, std::span<const Term> terms, Take&& take) {
  std::size_t own = 0;
  for (std::size_t at = 0; at < terms.size();) {
    const Term term = terms[at];
    std::uint32_t times = 0;
    for (; at < terms.size() && terms[at] == term; ++at) ++times;
    while (own < bag.terms.size() && bag.terms[own].term < term) ++own;
    const bool shared = own < bag.terms.size() && bag.terms[own].term == term;
    take(term, times, shared ? &bag.terms[own] : nullptr);
  }
}

void take_greatest(const std::vector<std::int16_t>& sums, double scale, std::size_t part,
                   Best& best) {
  constexpr std::size_t block = 128;
  for (std::size_t begin = 0; begin < sums.size(); begin += block) {
    const std::span within(sums.data() + begin, std::min(block, sums.size() - begin));
    std::int16_t most = 0;
    for (const auto sum : within) most = std::max(most, sum);
    if (static_cast<float>(most / scale) <= best.least()) continue;
    for (std::size_t at = 0; at < within.size(); ++at) {
      const auto sum = static_cast<float>(within[at] / scale);
      if (sum > best.least()) best.add(sum, key_of(part, static_cast<std::uint32_t>(begin + at)));
    }
  }
}

}  // namespace

SearchParts::SearchParts(const Searched& in) : in_(in), outputs_(in.recent.size()) {
  for (const auto& segment : in_.segments) {
    outputs_ += segment->outputs();
    if (!largest_ || segment->outputs() > largest_->outputs()) largest_ = segment.get();
  }
}

double SearchParts::weight(std::uint64_t having) const {
  const double all = std::log(static_cast<double>(std::max(outputs_, fewest_outputs)));
  const double own = std::log(static_cast<double>(std::max<std::uint64_t>(having, 1)));
  return greatest_weight * std::max(0.0, 1 - own / all);
}

// Segment by segment, so that each is read from front to back.
ShinglePlaces SearchParts::find(std::span<const Shingle> shingles) const {
  ShinglePlaces found;
  found.segments = in_.segments.size();
  found.ranges.resize(shingles.size() * found.segments);
  found.recent.resize(shingles.size());
  found.totals.resize(shingles.size());
  for (std::uint32_t output = 0; output < in_.recent.size(); ++output) {
    const auto& has = in_.recent[output]->fingerprint.shingles;
    std::size_t at = 0;
    for (const auto shingle : has) {
      while (at < shingles.size() && shingles[at] < shingle) ++at;
      if (at == shingles.size()) break;
      if (shingles[at] != shingle) continue;
      found.recent[at].push_back(output);
      ++found.totals[at];
    }
  }
  for (std::size_t part = 0; part < found.segments; ++part)
    for (std::size_t at = 0; at < shingles.size(); ++at) {
      const auto range = in_.segments[part]->find_shingle(shingles[at]);
      found.ranges[at * found.segments + part] = range;
      found.totals[at] += range.size();
    }
  return found;
}

bool SearchParts::has(OutputKey key, const ShinglePlaces& places, std::size_t number,
                      Shingle shingle) const {
  const auto part = part_of(key);
  const auto output = output_of(key);
  if (part == in_.segments.size())
    return std::ranges::binary_search(in_.recent[output]->fingerprint.shingles, shingle);
  const auto& segment = *in_.segments[part];
  auto [low, high] = places.ranges_of(number)[part];
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto there = segment.output_at(middle);
    if (there == output) return true;
    if (there < output) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

void SearchParts::newest(const ShinglePlaces& places, std::size_t number, std::size_t most,
                         std::vector<std::pair<OutputKey, float>>& to, float weight) const {
  std::size_t left = most;
  const auto& recent = places.recent[number];
  for (std::size_t at = recent.size(); at > 0 && left > 0; --at, --left)
    to.emplace_back(key_of(in_.segments.size(), recent[at - 1]), weight);
  for (std::size_t part = in_.segments.size(); part > 0 && left > 0; --part) {
    const auto& range = places.ranges_of(number)[part - 1];
    for (auto at = range.end; at > range.begin && left > 0; --at, --left)
      to.emplace_back(key_of(part - 1, in_.segments[part - 1]->output_at(at - 1)), weight);
  }
}

OutputInfo SearchParts::info(OutputKey key) const {
  const auto part = part_of(key);
  if (part < in_.segments.size()) return in_.segments[part]->info(output_of(key));
  const auto& output = *in_.recent[output_of(key)];
  return {.entry = output.entry,
          .choice = output.choice,
          .model = output.model,
          .words = output.fingerprint.words,
          .shingles = static_cast<std::uint32_t>(output.fingerprint.shingles.size())};
}

std::span<const Term> SearchParts::terms_of(OutputKey key) const {
  const auto part = part_of(key);
  if (part < in_.segments.size()) return in_.segments[part]->terms(output_of(key));
  return in_.recent[output_of(key)]->fingerprint.terms;
}

Bag SearchParts::bag_of(std::span<const Term> terms, std::uint32_t most_times) const {
  std::vector<Term> sorted(terms.begin(), terms.end());
  std::ranges::sort(sorted);
  Bag bag;
  for (const auto term : sorted) {
    if (bag.terms.empty() || bag.terms.back().term != term) bag.terms.push_back({.term = term});
    bag.terms.back().times = std::min(bag.terms.back().times + 1, most_times);
  }
  count_recent(bag);
  for (auto& own : bag.terms) {
    bool common = false;
    for (const auto& segment : in_.segments) {
      const auto list = segment->find_term(own.term);
      own.outputs += list.outputs;
      common = common || (list.outputs > 0 && !list.listed);
    }
    common = common || own.outputs > std::max(outputs_, fewest_outputs) / common_share;
    own.weight = common ? 0.0 : weight(own.outputs);
    bag.weight += own.weight * own.times;
  }
  return bag;
}

// Of a few among very many, how many have a term does not matter.
void SearchParts::count_recent(Bag& bag) const {
  if (in_.recent.size() * few_share < outputs_) return;
  for (const auto& output : in_.recent)
    for_each_shared(bag, output->fingerprint.terms,
                    [&bag](Term, std::uint32_t, const WeighedTerm* own) {
                      if (!own) return;
                      ++bag.terms[static_cast<std::size_t>(own - bag.terms.data())].outputs;
                    });
}

std::vector<OutputKey> SearchParts::most_shared(const Bag& bag, std::size_t most_postings,
                                                std::size_t most) const {
  std::vector<const WeighedTerm*> rarest;
  for (const auto& own : bag.terms)
    if (own.weight > 0 && own.outputs > 0) rarest.push_back(&own);
  std::ranges::sort(rarest, {}, &WeighedTerm::outputs);
  std::uint64_t postings = 0;
  std::size_t enough = 0;
  while (enough < rarest.size() && (postings += rarest[enough]->outputs) <= most_postings) ++enough;
  rarest.resize(enough);

  Best best(most);
  for (std::uint32_t at = 0; at < in_.recent.size(); ++at) {
    float sum = 0;
    for_each_shared(bag, in_.recent[at]->fingerprint.terms,
                    [&sum](Term, std::uint32_t times, const WeighedTerm* own) {
                      if (own) sum += static_cast<float>(own->weight * std::min(times, own->times));
                    });
    if (sum > best.least()) best.add(sum, key_of(in_.segments.size(), at));
  }
  // In whole numbers of 16 bits: half the memory, and a block is looked through in a few
  // instructions.
  const double scale = std::min(64.0, 32'000.0 / std::max(bag.weight, 1.0));
  std::vector<std::int16_t> sums;
  for (std::size_t part = 0; part < in_.segments.size(); ++part) {
    add_up(*in_.segments[part], rarest, scale, sums);
    take_greatest(sums, scale, part, best);
  }
  return best.take();
}

void SearchParts::add_up(const Segment& segment, const std::vector<const WeighedTerm*>& rarest,
                         double scale, std::vector<std::int16_t>& sums) const {
  sums.assign(segment.outputs(), 0);
  for (const auto* own : rarest) {
    const auto weight = static_cast<int>(own->weight * scale);
    segment.for_each_posting(segment.find_term(own->term), [&](Segment::Posting posting) {
      auto& sum = sums[posting.output];
      sum = static_cast<std::int16_t>(
          sum + weight * static_cast<int>(std::min(posting.times, own->times)));
    });
  }
}

// How many outputs have it is not counted everywhere, only in the largest segment.
double SearchParts::weight_of_term(Term term) const {
  if (!largest_) return greatest_weight;
  const double having = std::max(largest_->find_term(term).outputs, 1u);
  const auto estimate = static_cast<std::uint64_t>(having * static_cast<double>(outputs_) /
                                                   static_cast<double>(largest_->outputs()));
  if (estimate > std::max(outputs_, fewest_outputs) / common_share) return 0;
  return weight(estimate);
}

double SearchParts::shared_weight(const Bag& bag, OutputKey key, std::uint32_t most_times) const {
  double shared = 0;
  for_each_shared(bag, terms_of(key), [&](Term, std::uint32_t times, const WeighedTerm* both) {
    if (both) shared += both->weight * std::min({times, most_times, both->times});
  });
  return shared;
}

double SearchParts::own_weight(OutputKey key, std::uint32_t most_times) const {
  const auto terms = terms_of(key);
  double weight = 0;
  for (std::size_t at = 0; at < terms.size();) {
    const auto term = terms[at];
    std::uint32_t times = 0;
    for (; at < terms.size() && terms[at] == term; ++at) ++times;
    weight += weight_of_term(term) * std::min(times, most_times);
  }
  return weight;
}

}  // namespace gatehouse::provenance
