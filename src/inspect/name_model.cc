#include "inspect/name_model.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/text.h"

namespace gatehouse::inspect {
namespace {

constexpr std::string_view header = "gatehouse-names 2";
constexpr std::size_t line_length = 120;
constexpr std::size_t max_filter_bytes = 4U << 20;
constexpr std::array<std::string_view, name_lists> list_names{"given", "surname", "place", "word"};
constexpr std::array<std::string_view, name_stages> stage_names{"first", "second"};

void append_base64(std::string& out, std::string_view bytes) {
  const std::string text = to_base64(bytes_of(bytes));
  for (std::size_t at = 0; at < text.size(); at += line_length)
    out.append(text, at, line_length).append("\n");
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string_view line() {
    ++number_;
    const std::size_t end = std::min(rest_.find('\n'), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  Result<std::string> base64(std::size_t bytes) {
    const std::size_t wanted = (bytes + 2) / 3 * 4;
    std::string text;
    while (text.size() < wanted && !rest_.empty()) text += line();
    auto decoded = from_base64(text);
    if (!decoded) return std::unexpected(std::move(decoded).error().within(place()));
    if (decoded->size() != bytes) return wrong("not as many bytes as announced");
    return decoded;
  }
  std::unexpected<Error> wrong(std::string message) const {
    return fail(ErrorCode::invalid_argument, std::move(message), place());
  }

 private:
  std::string place() const { return "name model, line " + std::to_string(number_); }

  std::string_view rest_;
  std::size_t number_ = 0;
};

Result<void> parse_filter(Reader& reader, std::span<const std::string_view> words,
                          NameModel& model) {
  const auto list = words.size() == 3 ? std::ranges::find(list_names, words[1]) : list_names.end();
  const auto size = words.size() == 3 ? parse_uint(words[2]) : std::nullopt;
  if (list == list_names.end() || !size || *size > max_filter_bytes)
    return reader.wrong("want: filter <class> <bytes>");
  GH_ASSIGN(const std::string bytes, reader.base64(*size));
  GH_ASSIGN(model.filters[static_cast<std::size_t>(list - list_names.begin())],
            NameFilter::parse(bytes));
  return {};
}

Result<void> parse_weights(Reader& reader, std::span<const std::string_view> words,
                           NameModel& model) {
  const auto stage =
      words.size() == 3 ? std::ranges::find(stage_names, words[1]) : stage_names.end();
  if (stage == stage_names.end()) return reader.wrong("want: weights <stage> <slots>");
  const auto index = static_cast<std::size_t>(stage - stage_names.begin());
  const std::size_t slots = NameWeightTable::slots_of(static_cast<NameStage>(index));
  if (parse_uint(words[2]) != slots)
    return reader.wrong("want " + std::to_string(slots) + " slots");
  GH_ASSIGN(const std::string bytes, reader.base64(slots * name_kinds));
  model.weights[index] = NameWeightTable(slots);
  std::memcpy(model.weights[index].slots().data(), bytes.data(), bytes.size());
  return {};
}

Result<void> parse_field(const Reader& reader, std::string_view line, NameModel& model) {
  const std::size_t colon = line.find(": ");
  if (colon == line.npos) return reader.wrong("want: <key>: <value>");
  const std::string_view key = line.substr(0, colon);
  const std::string_view value = line.substr(colon + 2);
  if (key != "threshold") {
    model.card.emplace_back(key, value);
    return {};
  }
  const auto numbers = split(value, ' ');
  if (numbers.size() != name_kinds - 1) return reader.wrong("want three thresholds");
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto number = parse_uint(numbers[i]);
    if (!number || *number > 1'000'000) return reader.wrong("a threshold is no number");
    model.threshold[i + 1] = static_cast<std::int32_t>(*number);
  }
  return {};
}

}  // namespace

std::string_view to_string(NameList list) {
  return list_names[static_cast<std::size_t>(list)];
}

NameFilter::NameFilter(std::size_t entries) : words_(entries * 10 / 64 + 1) {}

Result<NameFilter> NameFilter::parse(std::string_view bytes) {
  if (bytes.empty() || bytes.size() % 8 != 0)
    return fail(ErrorCode::invalid_argument, "a filter is not made of 64-bit words");
  NameFilter filter;
  filter.words_.resize(bytes.size() / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    filter.words_[i / 8] |= std::uint64_t{static_cast<std::uint8_t>(bytes[i])} << (i % 8 * 8);
  return filter;
}

std::string NameFilter::serialize() const {
  std::string bytes;
  for (const std::uint64_t word : words_)
    for (unsigned i = 0; i < 8; ++i) bytes += static_cast<char>(word >> (i * 8) & 0xFF);
  return bytes;
}

Result<NameModel> NameModel::parse(std::string_view text) {
  NameModel model;
  Reader reader(text);
  if (reader.line() != header) return reader.wrong("want: " + std::string(header));
  for (std::string_view line = reader.line(); line != "end"; line = reader.line()) {
    const auto words = split(line, ' ');
    if (words[0] == "filter") {
      GH_TRY(parse_filter(reader, words, model));
    } else if (words[0] == "weights") {
      GH_TRY(parse_weights(reader, words, model));
    } else {
      GH_TRY(parse_field(reader, line, model));
    }
  }
  for (const NameWeightTable& table : model.weights)
    if (table.slots().size() == 1) return reader.wrong("a stage has no weights");
  return model;
}

std::string NameModel::serialize() const {
  std::string out = std::string(header) + "\n";
  for (const auto& [key, value] : card) out.append(key).append(": ").append(value).append("\n");
  out += "threshold:";
  for (std::size_t kind = 1; kind < name_kinds; ++kind)
    out += " " + std::to_string(threshold[kind]);
  out += "\n";
  for (std::size_t list = 0; list < name_lists; ++list) {
    const std::string bytes = filters[list].serialize();
    out += "filter " + std::string(list_names[list]) + " " + std::to_string(bytes.size()) + "\n";
    append_base64(out, bytes);
  }
  for (std::size_t stage = 0; stage < name_stages; ++stage) {
    const auto& table = weights[stage].slots();
    out += "weights " + std::string(stage_names[stage]) + " " + std::to_string(table.size()) + "\n";
    append_base64(out, {reinterpret_cast<const char*>(table.data()), table.size() * name_kinds});
  }
  return out + "end\n";
}

}  // namespace gatehouse::inspect
