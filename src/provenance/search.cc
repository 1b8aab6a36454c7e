// See search.h. The order of the work: weigh what the text has, gather outputs that share shingles,
// gather outputs that share terms, look at the best of both closely.
#include "provenance/search.h"

#include <algorithm>
#include <unordered_map>

#include "provenance/search_parts.h"

namespace gatehouse::provenance {
namespace {

constexpr std::size_t most_excerpts = 100;   // looked at closely
constexpr std::size_t most_rewrites = 48;    // the same, for each window
constexpr std::size_t most_compared = 32;    // of all, those that are looked at a second time
constexpr std::uint64_t few_places = 2'000;  // of a shingle that is looked for the first time
constexpr std::size_t window_words = 256;    // of a long text, when rewrites are looked for
constexpr std::size_t most_windows = 8;
constexpr std::size_t shared_places = 24'576;   // of shingles, gathered at most
constexpr std::size_t each_places = 4'096;      // of one shingle
constexpr std::size_t most_postings = 160'000;  // of terms, added up at most for each window
constexpr std::size_t all_postings = 320'000;   // and for all of them
constexpr std::size_t fewest_words = 20;        // of a text that can be a rewrite
constexpr double whole = 0.8;  // so much of a text in one output is enough, however common it is
// Two people who write about one thing share turns of phrase: so much of a run counts for nothing.
constexpr double turn_of_phrase = 28;    // two shingles that one output alone has
constexpr std::uint32_t most_times = 3;  // a word that is repeated counts so often

// A part of the text that may be a rewrite of something: all of it, or a window of a long one.
struct Region {
  std::uint32_t begin = 0;  // words
  std::uint32_t end = 0;
  Bag bag;
  double runs = 0;  // weight of the shingles in it that any output has
};

// One output that may be a source.
struct Candidate {
  OutputKey key = 0;
  double runs = 0;                   // weight of the shingles it shares, as far as gathered
  std::vector<std::size_t> regions;  // where its words were found
};

// A shingle that text and output share.
struct Shared {
  std::uint32_t word = 0;
  double weight = 0;
  bool again = false;  // stands earlier in the text too
};

class Search {
 public:
  Search(const Question& question, const Searched& in, const SearchOptions& options)
      : question_(question), parts_(in), options_(options) {}

  Found run() {
    Found found;
    found.words = static_cast<std::uint32_t>(question_.terms.size());
    if (found.words == 0 || parts_.outputs() == 0) return found;
    find_shingles();
    find_regions();
    gather_excerpts();
    gather_rewrites();
    auto matches = look_closely();
    take_best(found, matches);
    return found;
  }

 private:
  struct WeighedShingle {
    Shingle shingle = 0;
    std::size_t number = 0;  // in places_
    double weight = 0;
    std::span<const Placed> words;  // where it begins
  };
  struct Looked {
    const Candidate* candidate = nullptr;
    Match match;
    std::vector<Shared> shared;                                    // in the order of the text
    std::vector<std::pair<std::uint32_t, std::uint32_t>> covered;  // words [first, last]
    double likely = 0;
  };

  // The rarest first.
  void find_shingles() {
    placed_ = question_.shingles;
    std::ranges::sort(placed_, {},
                      [](const Placed& one) { return std::pair(one.shingle, one.word); });
    std::vector<Shingle> distinct;
    for (const auto& one : placed_)
      if (distinct.empty() || distinct.back() != one.shingle) distinct.push_back(one.shingle);
    places_ = parts_.find(distinct);
    std::size_t at = 0;
    for (std::size_t number = 0; number < distinct.size(); ++number) {
      const std::size_t begin = at;
      while (at < placed_.size() && placed_[at].shingle == distinct[number]) ++at;
      if (places_.totals[number] == 0) continue;
      shingles_.push_back({.shingle = distinct[number],
                           .number = number,
                           .weight = parts_.weight(places_.totals[number]),
                           .words = std::span(placed_).subspan(begin, at - begin)});
    }
    std::ranges::sort(shingles_, {}, [this](const WeighedShingle& one) {
      return std::pair(places_.totals[one.number], one.number);
    });
  }

  // Of shingles that very many outputs have, the newest outputs are enough.
  void gather_excerpts() {
    std::vector<std::pair<OutputKey, float>> shared;
    for (const auto& shingle : shingles_) {
      if (shared.size() >= shared_places) break;
      parts_.newest(places_, shingle.number, each_places, shared,
                    static_cast<float>(shingle.weight));
    }
    std::ranges::sort(shared, {}, [](const auto& pair) { return pair.first; });
    std::vector<Candidate> all;
    for (std::size_t at = 0; at < shared.size();) {
      Candidate own{.key = shared[at].first, .runs = 0, .regions = {}};
      for (; at < shared.size() && shared[at].first == own.key; ++at)
        own.runs += static_cast<double>(shared[at].second);
      all.push_back(own);
    }
    keep_best(all);
    for (const auto& candidate : all) candidates_.emplace(candidate.key, candidate);
  }

  // The newest of equals.
  static void keep_best(std::vector<Candidate>& all) {
    const auto better = [](const Candidate& a, const Candidate& b) {
      return a.runs != b.runs ? a.runs > b.runs : a.key > b.key;
    };
    const auto middle =
        all.begin() + static_cast<std::ptrdiff_t>(std::min(most_excerpts, all.size()));
    std::ranges::partial_sort(all, middle, better);
    all.erase(middle, all.end());
  }

  // The whole text, and windows if it is long: together they cover it.
  void find_regions() {
    const std::size_t count = question_.terms.size();
    if (count < fewest_words) return;
    add_region(0, count);
    if (count <= 2 * window_words) return;
    const std::size_t windows = std::min(most_windows, count / window_words);
    for (std::size_t at = 0; at < windows; ++at)
      add_region(count * at / windows, count * (at + 1) / windows);
  }

  void add_region(std::size_t begin, std::size_t end) {
    Region region{
        .begin = static_cast<std::uint32_t>(begin),
        .end = static_cast<std::uint32_t>(end),
        .bag = parts_.bag_of(std::span(question_.terms).subspan(begin, end - begin), most_times)};
    for (const auto& shingle : shingles_)
      if (std::ranges::any_of(shingle.words, [&](const Placed& one) {
            return one.word >= begin && one.word < end;
          }))
        region.runs += shingle.weight;
    regions_.push_back(std::move(region));
  }

  void gather_rewrites() {
    const std::size_t first = regions_.size() > 1 ? 1 : 0;
    const std::size_t windows = regions_.size() - first;
    for (std::size_t at = first; at < regions_.size(); ++at)
      for (const auto key : parts_.most_shared(
               regions_[at].bag, std::min(most_postings, all_postings / windows), most_rewrites)) {
        auto& candidate = candidates_[key];
        candidate.key = key;
        if (at > 0) candidate.regions.push_back(at);
      }
  }

  std::vector<Looked> look_closely() {
    std::vector<Looked> all;
    for (const auto& [key, candidate] : candidates_) all.push_back(look(candidate, few_places));
    look_again(all);
    std::erase_if(all, [this](Looked& looked) { return !is_match(looked.match); });
    return all;
  }

  // At the shingles that at most so many outputs have.
  Looked look(const Candidate& candidate, std::uint64_t most_places) const {
    const auto info = parts_.info(candidate.key);
    Looked looked{.candidate = &candidate, .match = {}, .shared = {}, .covered = {}};
    auto& match = looked.match;
    match.entry = info.entry;
    match.choice = info.choice;
    match.model = info.model;
    match.time = time_of(info.entry);
    match.words = info.words;
    std::size_t distinct = 0;
    for (const auto& shingle : shingles_) {
      if (places_.totals[shingle.number] > most_places) break;
      if (!parts_.has(candidate.key, places_, shingle.number, shingle.shingle)) continue;
      ++distinct;
      for (const auto& placed : shingle.words)
        looked.shared.push_back({.word = placed.word,
                                 .weight = shingle.weight,
                                 .again = placed.word != shingle.words.front().word});
    }
    std::ranges::sort(looked.shared, {}, &Shared::word);
    match.evidence = evidence_of(looked.shared, looked.covered);
    match.covered = share_of(looked.covered);
    if (info.shingles > 0)
      match.of_output = static_cast<double>(distinct) / static_cast<double>(info.shingles);
    return looked;
  }

  // What stands in very many outputs, and what an output weighs, takes a while to find out: it is
  // done for the most likely ones only.
  void look_again(std::vector<Looked>& all) const {
    for (auto& looked : all) looked.likely = likelihood_of(looked);
    std::ranges::sort(all, [](const Looked& a, const Looked& b) {
      return a.likely != b.likely ? a.likely > b.likely : a.candidate->key > b.candidate->key;
    });
    const auto words = static_cast<double>(question_.terms.size());
    for (std::size_t at = 0; at < all.size(); ++at) {
      const bool likely = at < most_compared;
      if (!likely && excerpt_score(all[at].match.evidence, words) < 0.5) continue;
      all[at] = look(*all[at].candidate, ~0ull);
      if (likely && !regions_.empty()) compare_words(all[at]);
    }
  }

  // For the order only.
  double likelihood_of(const Looked& looked) const {
    if (regions_.empty()) return looked.match.evidence;
    const auto signs = signs_in(regions_.front(), looked);
    const auto words = static_cast<double>(parts_.listed_words(looked.candidate->key));
    return 2 * signs.shared_words / (std::max(signs.text_words, 1.0) * (1 + words / signs.words)) +
           signs.runs / std::max(signs.known_runs, 1.0);
  }

  void compare_words(Looked& looked) const {
    const auto key = looked.candidate->key;
    const double own = parts_.own_weight(key, most_times);
    double best = -1;
    const auto compare = [&](const Region& region) {
      auto signs = signs_in(region, looked);
      signs.output_words = own;
      const double score = rewrite_score(signs);
      if (score <= best) return;
      best = score;
      looked.match.signs = signs;
    };
    compare(regions_.front());
    for (const auto at : looked.candidate->regions) compare(regions_[at]);
    looked.match.similarity = similarity_of(looked.match.signs);
  }

  RewriteSigns signs_in(const Region& region, const Looked& looked) const {
    RewriteSigns signs{
        .words = static_cast<double>(region.end - region.begin),
        .shared_runs = 0,
        .runs = 0,
        .known_runs = region.runs,
        .shared_words = parts_.shared_weight(region.bag, looked.candidate->key, most_times),
        .text_words = region.bag.weight,
        .output_words = 0};
    for (const auto& one : looked.shared) {
      if (one.again || one.word < region.begin || one.word >= region.end) continue;
      ++signs.shared_runs;
      signs.runs += one.weight;
    }
    return signs;
  }

  bool is_match(Match& match) const {
    const auto words = static_cast<double>(question_.terms.size());
    double excerpt = excerpt_score(match.evidence, words);
    if (match.covered >= whole && match.covered * words >= fewest_words)
      excerpt = std::max(excerpt, 1.0);
    const double rewrite = rewrite_score(match.signs);
    match.score = std::max(excerpt, rewrite);
    // A short excerpt may be certain by its words before its few runs are.
    const bool in_one_piece = match.covered >= whole || (excerpt >= 0.5 && match.covered >= 0.5);
    match.kind = excerpt >= 1 || in_one_piece ? MatchKind::excerpt : MatchKind::rewrite;
    return match.score >= options_.least_score && match.time >= options_.not_before;
  }

  // Shingles that follow each other as closely as winnowing leaves them are one run. The ends of a
  // run are up to a window short of what is shared; that is left as it is.
  static double evidence_of(const std::vector<Shared>& shared,
                            std::vector<std::pair<std::uint32_t, std::uint32_t>>& runs) {
    constexpr std::uint32_t reach = shingle_words - 1;
    double evidence = 0;
    double own = 0;
    const auto settle = [&] {
      evidence += std::max(0.0, own - turn_of_phrase);
      own = 0;
    };
    for (const auto& [word, weight, again] : shared) {
      if (!runs.empty() && word <= runs.back().second - reach + winnow_window) {
        runs.back().second = word + reach;
      } else {
        settle();
        runs.emplace_back(word, word + reach);
      }
      own += again ? 0 : weight;
    }
    settle();
    return evidence;
  }

  double share_of(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& runs) const {
    double words = 0;
    std::uint32_t next = 0;
    for (const auto& [first, last] : runs) {
      const auto from = std::max(first, next);
      if (last + 1 > from) words += last + 1 - from;
      next = std::max(next, last + 1);
    }
    return std::min(1.0, words / static_cast<double>(question_.terms.size()));
  }

  void take_best(Found& found, std::vector<Looked>& matches) const {
    std::ranges::sort(matches, [](const Looked& a, const Looked& b) {
      if (a.match.score != b.match.score) return a.match.score > b.match.score;
      if (a.match.time != b.match.time) return a.match.time > b.match.time;
      return std::pair(a.match.entry, a.match.choice) < std::pair(b.match.entry, b.match.choice);
    });
    if (matches.size() > options_.most_matches) matches.resize(options_.most_matches);
    std::vector<std::pair<std::uint32_t, std::uint32_t>> covered;
    for (auto& looked : matches) {
      covered.insert(covered.end(), looked.covered.begin(), looked.covered.end());
      found.matches.push_back(std::move(looked.match));
    }
    std::ranges::sort(covered);
    found.covered = share_of(covered);
  }

  const Question& question_;
  const SearchParts parts_;
  const SearchOptions& options_;
  std::vector<Placed> placed_;  // sorted by shingle
  ShinglePlaces places_;
  std::vector<Region> regions_;           // none for a very short text; the first is the whole
  std::vector<WeighedShingle> shingles_;  // that some output has, the rarest first
  std::unordered_map<OutputKey, Candidate> candidates_;
};

}  // namespace

std::string_view to_string(MatchKind kind) {
  return kind == MatchKind::excerpt ? "excerpt" : "rewrite";
}

Found search(const Question& question, const Searched& in, const SearchOptions& options) {
  return Search(question, in, options).run();
}

}  // namespace gatehouse::provenance
