// See calibration.h. The file, one record a line, fields separated by one space:
//
//   gatehouse-calibration 2
//   detector NAME
//   model sha256:HEX
//   source FREE TEXT
//   head NAME                      per head
//   all SCORES POINTS              POINTS lines follow
//   band FROM-BYTES SCORES POINTS  per band, POINTS lines follow
//   ABOVE SCORE                    at most ABOVE of the scores are higher than SCORE
//   end
#include "classify/calibration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

#include "base/text.h"

namespace gatehouse::classify {
namespace {

constexpr std::string_view first_line = "gatehouse-calibration 2";

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= Calibration::most_name_bytes &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool is_source(std::string_view text) {
  return !text.empty() && text.size() <= Calibration::most_source_bytes && is_utf8(text) &&
         trim(text) == text &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

// Only what serialize() writes: no sign, no leading zeros.
std::optional<std::uint64_t> parse_count(std::string_view text) {
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return parse_uint(text);
}

std::string score_text(float score) {
  char buffer[32];
  const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), score);
  GH_CHECK(error == std::errc());
  return {buffer, end};
}

// What stands behind "all" or "band FROM-BYTES", and the lines that follow.
std::string tail_text(const ScoreTail& tail) {
  std::string out = fmt::format("{} {}\n", tail.size(), tail.points().size());
  for (const ScoreTail::Point& point : tail.points())
    out += fmt::format("{} {}\n", point.above, score_text(point.score));
  return out;
}

std::optional<float> parse_score(std::string_view text) {
  float score = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), score);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (score_text(score) != text) return std::nullopt;
  return score;
}

// The lines of a file. What is wrong is said with the number of its line.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  // The next line without its end; nullopt when there is none or its end is missing.
  std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    ++number_;
    return line;
  }
  // Whether the next line begins with that word.
  bool comes(std::string_view word) const {
    return rest_.starts_with(word) && rest_.size() > word.size() &&
           (rest_[word.size()] == ' ' || rest_[word.size()] == '\n');
  }
  // What stands behind `word` and a space in the next line.
  Result<std::string_view> field(std::string_view word) {
    const bool there = comes(word);
    const auto line = next();
    if (!there || !line || line->size() <= word.size())
      return wrong(fmt::format("expected \"{} …\"", word));
    return line->substr(word.size() + 1);
  }
  std::unexpected<Error> wrong(std::string message) const {
    return fail(ErrorCode::invalid_argument, std::move(message), fmt::format("line {}", number_));
  }
  bool empty() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  std::size_t number_ = 0;
};

Result<ScoreTail::Point> parse_point(Lines& lines) {
  const auto line = lines.next();
  if (line) {
    const auto fields = split(*line, ' ');
    if (fields.size() == 2) {
      const auto above = parse_count(fields[0]);
      const auto score = parse_score(fields[1]);
      if (above && score) return ScoreTail::Point{*score, *above};
    }
  }
  return lines.wrong("expected a count and a score");
}

// Exactly `many` numbers behind `word`.
Result<std::vector<std::uint64_t>> parse_counts(Lines& lines, std::string_view word,
                                                std::size_t many) {
  GH_ASSIGN(const auto text, lines.field(word));
  const auto fields = split(text, ' ');
  std::vector<std::uint64_t> numbers;
  for (const std::string_view field : fields)
    if (const auto number = parse_count(field)) numbers.push_back(*number);
  if (fields.size() != many || numbers.size() != many)
    return lines.wrong(fmt::format("expected {} numbers behind \"{}\"", many, word));
  return numbers;
}

Result<ScoreTail> parse_tail(Lines& lines, std::uint64_t scores, std::uint64_t many) {
  if (many > ScoreTail::most_points) return lines.wrong("too many points");
  std::vector<ScoreTail::Point> points;
  for (std::uint64_t n = 0; n < many; ++n) {
    GH_ASSIGN(const auto point, parse_point(lines));
    points.push_back(point);
  }
  auto tail = ScoreTail::from_points(scores, std::move(points));
  if (!tail) return lines.wrong(tail.error().message);
  return tail;
}

Result<LengthBand> parse_band(Lines& lines) {
  GH_ASSIGN(const auto numbers, parse_counts(lines, "band", 3));
  GH_ASSIGN(auto tail, parse_tail(lines, numbers[1], numbers[2]));
  return LengthBand{numbers[0], std::move(tail)};
}

Result<Calibration::Head> parse_head(Lines& lines) {
  GH_ASSIGN(const auto name, lines.field("head"));
  GH_ASSIGN(const auto numbers, parse_counts(lines, "all", 2));
  GH_ASSIGN(auto all, parse_tail(lines, numbers[0], numbers[1]));
  std::vector<LengthBand> bands;
  while (lines.comes("band")) {
    if (bands.size() == HeadCalibration::most_bands) return lines.wrong("too many bands");
    GH_ASSIGN(auto band, parse_band(lines));
    bands.push_back(std::move(band));
  }
  auto head = HeadCalibration::from_bands(std::move(all), std::move(bands));
  if (!head) return lines.wrong(head.error().message);
  return Calibration::Head{std::string(name), std::move(*head)};
}

Result<crypto::Digest> parse_model(Lines& lines) {
  GH_ASSIGN(const auto text, lines.field("model"));
  constexpr std::string_view prefix = "sha256:";
  const auto bytes = text.starts_with(prefix)
                         ? from_hex(text.substr(prefix.size()))
                         : Result<std::string>(fail(ErrorCode::invalid_argument, "no digest"));
  crypto::Digest digest;
  if (!bytes || bytes->size() != digest.size() || to_hex(bytes_of(*bytes)) != text.substr(7))
    return lines.wrong("expected \"model sha256:\" and 64 hexadecimal digits");
  std::ranges::copy(bytes_of(*bytes), digest.begin());
  return digest;
}

// Where a band may begin: at 0, and at the powers of two from here on.
constexpr std::uint64_t shortest_edge = 16;

std::uint64_t edge_below(std::uint64_t bytes) {
  if (bytes < shortest_edge) return 0;
  return std::uint64_t{1} << (63 - __builtin_clzll(bytes));
}

// Scores by where the finest band they could lie in begins.
using Cells = std::map<std::uint64_t, std::vector<double>>;

// Joins neighbours, short ones first, until each has enough; a last one that has not goes to the
// one before it.
Cells join(Cells fine, std::size_t enough) {
  Cells joined;
  auto open = joined.end();
  for (auto& [from, scores] : fine) {
    if (open == joined.end() || open->second.size() >= enough)
      open = joined.emplace(joined.empty() ? 0 : from, std::vector<double>()).first;
    open->second.insert(open->second.end(), scores.begin(), scores.end());
  }
  if (joined.size() > 1 && open->second.size() < enough) {
    auto& before = std::prev(open)->second;
    before.insert(before.end(), open->second.begin(), open->second.end());
    joined.erase(open);
  }
  return joined;
}

}  // namespace

HeadCalibration HeadCalibration::of(std::span<const BenignScore> scores, std::size_t band_scores) {
  Cells fine;
  fine[0];
  for (const BenignScore& one : scores) fine[edge_below(one.bytes)].push_back(one.score);
  const std::size_t fair_share = (scores.size() + most_bands - 1) / most_bands;
  std::vector<double> together;
  for (const BenignScore& one : scores) together.push_back(one.score);
  HeadCalibration head;
  head.all_ = ScoreTail::of(std::move(together));
  for (auto& [from, values] : join(std::move(fine), std::max(band_scores, fair_share)))
    head.bands_.push_back({from, ScoreTail::of(std::move(values))});
  head.measure_bands();
  return head;
}

Result<HeadCalibration> HeadCalibration::from_bands(ScoreTail all, std::vector<LengthBand> bands) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::invalid_argument, what); };
  if (bands.empty()) return wrong("a head needs a band");
  if (bands.size() > most_bands) return wrong("too many bands");
  if (bands.front().from_bytes != 0) return wrong("the first band must begin at 0");
  std::uint64_t sum = bands.front().tail.size();
  for (std::size_t at = 1; at < bands.size(); ++at) {
    if (bands[at].from_bytes <= bands[at - 1].from_bytes)
      return wrong("bands must follow one another");
    sum += bands[at].tail.size();
  }
  if (sum != all.size()) return wrong("the bands have not as many scores as all together");
  HeadCalibration head;
  head.all_ = std::move(all);
  head.bands_ = std::move(bands);
  head.measure_bands();
  return head;
}

void HeadCalibration::measure_bands() {
  smallest_band_p_ = 0;
  for (const LengthBand& band : bands_)
    smallest_band_p_ = std::max(smallest_band_p_, band.tail.smallest_p());
}

double HeadCalibration::p_value(double score, std::uint64_t bytes) const {
  const double in_band = band_of(bytes).tail.p_value(score);
  return in_band > smallest_band_p_ ? in_band : std::min(smallest_band_p_, all_.p_value(score));
}

const LengthBand& HeadCalibration::band_of(std::uint64_t bytes) const {
  std::size_t at = bands_.size() - 1;
  while (at > 0 && bands_[at].from_bytes > bytes) --at;
  return bands_[at];
}

Result<Calibration> Calibration::make(std::string detector, const crypto::Digest& model,
                                      std::string source, std::vector<Head> heads) {
  const auto wrong = [](std::string what) {
    return fail(ErrorCode::invalid_argument, std::move(what));
  };
  if (!is_name(detector)) return wrong("a detector is named by small letters, digits and dashes");
  if (!is_source(source)) return wrong("the source is one line of at most 400 bytes");
  if (heads.empty() || heads.size() > most_heads) return wrong("a calibration has 1 to 16 heads");
  for (std::size_t at = 0; at < heads.size(); ++at) {
    if (!is_name(heads[at].name))
      return wrong("a head is named by small letters, digits and dashes");
    for (std::size_t before = 0; before < at; ++before)
      if (heads[before].name == heads[at].name) return wrong("two heads have one name");
  }
  Calibration calibration;
  calibration.detector_ = std::move(detector);
  calibration.model_ = model;
  calibration.source_ = std::move(source);
  calibration.heads_ = std::move(heads);
  return calibration;
}

Result<Calibration> Calibration::parse(std::string_view file) {
  if (file.size() > most_bytes)
    return fail(ErrorCode::resource_exhausted, "a calibration file has at most 1 MiB");
  Lines lines(file);
  if (lines.next() != first_line)
    return lines.wrong(
        fmt::format("expected \"{}\": not a calibration file, or of another version; "
                    "`gatehouse inspect calibrate` makes one",
                    first_line));
  GH_ASSIGN(const auto detector, lines.field("detector"));
  GH_ASSIGN(const auto model, parse_model(lines));
  GH_ASSIGN(const auto source, lines.field("source"));
  std::vector<Head> heads;
  while (lines.comes("head")) {
    if (heads.size() == most_heads) return lines.wrong("too many heads");
    GH_ASSIGN(auto head, parse_head(lines));
    heads.push_back(std::move(head));
  }
  if (lines.next() != "end" || !lines.empty())
    return lines.wrong("expected \"head\", \"band\" or, as the last line, \"end\"");
  return make(std::string(detector), model, std::string(source), std::move(heads));
}

std::string Calibration::serialize() const {
  std::string out = fmt::format("{}\ndetector {}\nmodel sha256:{}\nsource {}\n", first_line,
                                detector_, to_hex(model_), source_);
  for (const Head& head : heads_) {
    out += fmt::format("head {}\n", head.name);
    out += "all " + tail_text(head.calibration.all());
    for (const LengthBand& band : head.calibration.bands())
      out += fmt::format("band {} {}", band.from_bytes, tail_text(band.tail));
  }
  return out + "end\n";
}

Result<void> Calibration::check_made_for(std::string_view detector,
                                         const crypto::Digest& model) const {
  if (detector != detector_)
    return fail(
        ErrorCode::failed_precondition,
        fmt::format("this calibration is of the detector {}, not of {}", detector_, detector));
  if (model != model_)
    return fail(
        ErrorCode::failed_precondition,
        fmt::format("this calibration was made with the model sha256:{}, and the model in use "
                    "is sha256:{}: run `gatehouse inspect calibrate` again",
                    to_hex(model_), to_hex(model)));
  return {};
}

const HeadCalibration* Calibration::head(std::string_view name) const {
  const auto found = std::ranges::find(heads_, name, &Head::name);
  return found == heads_.end() ? nullptr : &found->calibration;
}

}  // namespace gatehouse::classify
