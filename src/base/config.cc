// One YAML document as a tree of our own, built from yaml-cpp's events. Immutable once parsed, so
// any thread may read it.
//
// Invariants
//   1. At most 1 MiB of text, 32 levels, and 100,000 nodes counted with every alias written out: a
//      document of aliases cannot make its reader work longer than one without.
//   2. The keys of a map are scalars and differ from each other.
//   3. An alias names an anchor whose node is complete: the tree has no cycle.
#include "base/config.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "base/file.h"
#include "base/text.h"

namespace gatehouse {
namespace {

constexpr std::size_t max_document_bytes = 1u << 20;
constexpr std::size_t max_depth = 32;
constexpr std::size_t max_nodes = 100'000;

enum class Kind { nothing, scalar, list, map };

struct Tree;
using TreePointer = std::shared_ptr<const Tree>;

struct Member {
  std::string key;
  int line;
  TreePointer value;
};

struct Tree {
  Kind kind = Kind::nothing;
  int line = 0;
  std::size_t height = 1;  // levels, aliases written out
  std::size_t size = 1;    // nodes, aliases written out
  std::string text;        // scalar
  bool plain = false;      // scalar without quotes
  std::vector<TreePointer> items;
  std::vector<Member> members;
};

struct Problem {
  int line;
  std::string message;
};

// Turns parser events into a Tree. Throws Problem through the parser; parse_document() catches.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreePointer take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    complete(std::make_shared<Tree>(make(Kind::nothing, mark)), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Problem{line_of(mark), "an alias inside its own anchor"};
    attach(found->second, line_of(mark));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto tree = std::make_shared<Tree>(make(Kind::scalar, mark));
    tree->text = value;
    tree->plain = tag == "?" || tag.empty();
    complete(std::move(tree), anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(Kind::list, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<Tree> tree;
    YAML::anchor_t anchor;
    std::set<std::string> keys;
    std::optional<Member> pending;  // key seen, value not yet
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }

  static Tree make(Kind kind, const YAML::Mark& mark) {
    Tree tree;
    tree.kind = kind;
    tree.line = line_of(mark);
    return tree;
  }

  void open(Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= max_depth) throw too_deep(line_of(mark));
    open_.push_back(Open{std::make_shared<Tree>(make(kind, mark)), anchor, {}, {}});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    complete(std::move(done.tree), done.anchor);
  }

  void complete(std::shared_ptr<Tree> tree, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = tree;
    const int line = tree->line;
    attach(std::move(tree), line);
  }

  void attach(TreePointer tree, int line) {
    if (open_.empty()) {
      root_ = std::move(tree);
      return;
    }
    Open& parent = open_.back();
    count(*parent.tree, *tree, line);
    if (parent.tree->kind == Kind::list)
      parent.tree->items.push_back(std::move(tree));
    else if (auto pending = std::exchange(parent.pending, std::nullopt))
      end_member(parent, std::move(*pending), std::move(tree));
    else
      parent.pending = begin_member(parent, *tree, line);
  }

  void count(Tree& parent, const Tree& child, int line) {
    parent.height = std::max(parent.height, child.height + 1);
    parent.size += child.size;
    if (open_.size() - 1 + parent.height > max_depth + 1) throw too_deep(line);
    if (parent.size > max_nodes)
      throw Problem{line, "more than " + std::to_string(max_nodes) + " values"};
  }

  static Member begin_member(Open& parent, const Tree& key, int line) {
    if (key.kind != Kind::scalar) throw Problem{line, "a key must be plain text"};
    if (!parent.keys.insert(key.text).second)
      throw Problem{line, "the key '" + key.text + "' stands twice in the same map"};
    return Member{key.text, line, nullptr};
  }

  static void end_member(Open& parent, Member member, TreePointer value) {
    member.value = std::move(value);
    parent.tree->members.push_back(std::move(member));
  }

  static Problem too_deep(int line) {
    return Problem{line, "nested deeper than " + std::to_string(max_depth) + " levels"};
  }

  std::vector<Open> open_;
  std::map<YAML::anchor_t, TreePointer> anchors_;
  TreePointer root_;
};

// yaml-cpp takes some control characters for its own marks (0x04 ends its input); YAML 1.2 allows
// none of them outside of escapes.
std::optional<Problem> unreadable(std::string_view yaml) {
  if (yaml.size() > max_document_bytes)
    return Problem{1, "larger than the limit of " + std::to_string(max_document_bytes) + " bytes"};
  int line = 1;
  for (const char c : yaml) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f)
      return Problem{line, "a control character"};
  }
  if (!is_utf8(yaml)) return Problem{1, "the text is not well-formed UTF-8"};
  return std::nullopt;
}

TreePointer parse_document(std::string_view yaml) {
  if (const std::optional<Problem> problem = unreadable(yaml)) throw Problem(*problem);
  std::istringstream stream{std::string(yaml)};
  YAML::Parser parser(stream);
  TreeBuilder builder;
  TreePointer root;
  if (parser.HandleNextDocument(builder)) root = builder.take();
  TreeBuilder second;
  if (root && parser.HandleNextDocument(second)) {
    const TreePointer extra = second.take();
    throw Problem{extra ? extra->line : 1, "a second document; only one is read"};
  }
  return root ? root : std::make_shared<Tree>();
}

std::string describe_kind(const Tree& tree) {
  switch (tree.kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::scalar:
      return "'" + std::string(utf8_prefix(tree.text, 40)) + (tree.text.size() > 40 ? "…'" : "'");
    case Kind::list:
      return "a list";
    case Kind::map:
      return "a map";
  }
  return "nothing";
}

// How many single-character changes turn a into b.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({change, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string unknown_key_message(const std::string& key, const std::vector<std::string>& known) {
  std::string message = "unknown key '" + std::string(utf8_prefix(key, 64)) + "'";
  const std::string* nearest = nullptr;
  std::size_t distance = 1 + std::max<std::size_t>(2, key.size() / 3);
  for (const std::string& candidate : known) {
    if (key.size() > candidate.size() + distance) continue;
    const std::size_t d = edit_distance(key, candidate);
    if (d < distance) {
      distance = d;
      nearest = &candidate;
    }
  }
  if (nearest != nullptr) return message + "; did you mean '" + *nearest + "'?";
  if (known.empty()) return message + "; no key is known here";
  return message + "; known here: " + join(known);
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr Unit duration_units[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit size_units[] = {
    {"", 1}, {"B", 1}, {"KiB", 1u << 10}, {"MiB", 1u << 20}, {"GiB", 1u << 30}};

// "10s" -> 10'000 with duration_units; nothing when malformed or too large for 63 bits.
std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::optional<std::uint64_t> count = parse_uint(text.substr(0, digits));
  if (!count) return std::nullopt;
  for (const Unit& unit : units) {
    if (text.substr(digits) != unit.name) continue;
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    if (*count > largest / unit.factor) return std::nullopt;
    return *count * unit.factor;
  }
  return std::nullopt;
}

// The largest unit that shows `value` without a fraction: 10'000 -> "10s".
std::string with_unit(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0 && unit.factor > best->factor) best = &unit;
  return std::to_string(value / best->factor) + std::string(best->name);
}

std::string range_text(const std::string& min, const std::string& max) {
  return " from " + min + " to " + max;
}

}  // namespace

struct ConfigNode::Impl {
  std::shared_ptr<const std::string> file;
  TreePointer tree;
  int line;
  std::string path;

  std::shared_ptr<const Impl> item(std::size_t i) const {
    const TreePointer& value = tree->items[i];
    return std::make_shared<Impl>(
        Impl{file, value, value->line, path + "[" + std::to_string(i) + "]"});
  }
  std::shared_ptr<const Impl> member(const Member& member) const {
    return std::make_shared<Impl>(
        Impl{file, member.value, member.line, path.empty() ? member.key : path + "." + member.key});
  }
  Error expected(std::string_view what) const {
    return {ErrorCode::invalid_argument,
            "expected " + std::string(what) + ", found " + describe_kind(*tree), where()};
  }
  std::string where() const {
    std::string out = *file + ":" + std::to_string(line);
    return path.empty() ? out : out + ": " + path;
  }
};

Result<ConfigNode> ConfigNode::parse(std::string_view yaml, std::string file_name) {
  const auto refuse = [&file_name](int line, const std::string& message) {
    return fail(ErrorCode::invalid_argument, message, file_name + ":" + std::to_string(line));
  };
  try {
    const TreePointer root = parse_document(yaml);
    const int line = std::max(root->line, 1);
    auto file = std::make_shared<const std::string>(file_name);
    return ConfigNode(std::make_shared<Impl>(Impl{std::move(file), root, line, ""}));
  } catch (const Problem& problem) {
    return refuse(problem.line, problem.message);
  } catch (const YAML::Exception& problem) {
    return refuse(std::max(problem.mark.line + 1, 1), "not valid YAML: " + problem.msg);
  } catch (const std::exception& problem) {
    return refuse(1, std::string("not valid YAML: ") + problem.what());
  }
}

Result<ConfigNode> ConfigNode::parse_file(const std::filesystem::path& path) {
  GH_ASSIGN(const std::string text, read_file(path, max_document_bytes));
  return parse(text, path.string());
}

bool ConfigNode::is_map() const {
  return impl_->tree->kind == Kind::map;
}
bool ConfigNode::is_list() const {
  return impl_->tree->kind == Kind::list;
}
bool ConfigNode::is_scalar() const {
  return impl_->tree->kind == Kind::scalar;
}

std::vector<ConfigNode> ConfigNode::items() const {
  std::vector<ConfigNode> out;
  out.reserve(impl_->tree->items.size());
  for (std::size_t i = 0; i < impl_->tree->items.size(); ++i)
    out.push_back(ConfigNode(impl_->item(i)));
  return out;
}

std::vector<std::pair<std::string, ConfigNode>> ConfigNode::members() const {
  std::vector<std::pair<std::string, ConfigNode>> out;
  for (const Member& member : impl_->tree->members)
    out.emplace_back(member.key, ConfigNode(impl_->member(member)));
  return out;
}

std::optional<ConfigNode> ConfigNode::find(std::string_view key) const {
  for (const Member& member : impl_->tree->members)
    if (member.key == key) return ConfigNode(impl_->member(member));
  return std::nullopt;
}

Result<std::string> ConfigNode::as_string() const {
  if (!is_scalar()) return std::unexpected(impl_->expected("text"));
  return impl_->tree->text;
}

Result<bool> ConfigNode::as_bool() const {
  const Tree& tree = *impl_->tree;
  if (tree.kind == Kind::scalar && tree.plain && (tree.text == "true" || tree.text == "false"))
    return tree.text == "true";
  return std::unexpected(impl_->expected("true or false"));
}

Result<std::int64_t> ConfigNode::as_int() const {
  const Tree& tree = *impl_->tree;
  std::int64_t value = 0;
  const char* const end = tree.text.data() + tree.text.size();
  const auto [stop, error] = std::from_chars(tree.text.data(), end, value);
  if (!tree.plain || error != std::errc() || stop != end)
    return std::unexpected(impl_->expected("a whole number"));
  return value;
}

Result<double> ConfigNode::as_double() const {
  const Tree& tree = *impl_->tree;
  double value = 0;
  const char* const end = tree.text.data() + tree.text.size();
  const auto [stop, error] = std::from_chars(tree.text.data(), end, value);
  if (!tree.plain || error != std::errc() || stop != end || !std::isfinite(value))
    return std::unexpected(impl_->expected("a number"));
  return value;
}

Result<std::vector<std::string>> ConfigNode::as_strings() const {
  if (is_scalar()) return std::vector{impl_->tree->text};
  if (!is_list()) return std::unexpected(impl_->expected("a list of texts"));
  std::vector<std::string> out;
  for (const ConfigNode& item : items()) {
    GH_ASSIGN(std::string text, item.as_string());
    out.push_back(std::move(text));
  }
  return out;
}

std::string ConfigNode::where() const {
  return impl_->where();
}

Error ConfigNode::error(std::string message) const {
  return {ErrorCode::invalid_argument, std::move(message), where()};
}

ConfigReader::ConfigReader(ConfigNode map) : map_(std::move(map)) {
  if (!map_.is_map()) note(map_.error("expected a map of settings"));
}

std::optional<ConfigNode> ConfigReader::take(std::string_view key) {
  asked_.emplace_back(key);
  return map_.find(key);
}

std::string ConfigReader::string(std::string_view key, std::string fallback) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  Result<std::string> value = node->as_string();
  if (value) return std::move(*value);
  note(std::move(value).error());
  return fallback;
}

std::string ConfigReader::required_string(std::string_view key) {
  if (map_.is_map() && !map_.find(key))
    note(map_.error("the key '" + std::string(key) + "' is missing"));
  return string(key, {});
}

bool ConfigReader::boolean(std::string_view key, bool fallback) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  Result<bool> value = node->as_bool();
  if (value) return *value;
  note(std::move(value).error());
  return fallback;
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t fallback, std::int64_t min,
                                   std::int64_t max) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  Result<std::int64_t> value = node->as_int();
  if (value && *value >= min && *value <= max) return *value;
  const std::string range = range_text(std::to_string(min), std::to_string(max));
  note(value ? node->error("expected a whole number" + range + ", found " + std::to_string(*value))
             : std::move(value).error());
  return fallback;
}

std::chrono::milliseconds ConfigReader::duration(std::string_view key,
                                                 std::chrono::milliseconds fallback,
                                                 std::chrono::milliseconds min,
                                                 std::chrono::milliseconds max) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  const std::string text = node->as_string().value_or("");
  const std::optional<std::uint64_t> count = parse_with_unit(text, duration_units);
  if (count) {
    const std::chrono::milliseconds value(static_cast<std::int64_t>(*count));
    if (value >= min && value <= max) return value;
  }
  const auto shown = [](std::chrono::milliseconds limit) {
    return with_unit(static_cast<std::uint64_t>(limit.count()), duration_units);
  };
  note(node->error("expected a duration" + range_text(shown(min), shown(max)) +
                   " such as 250ms, 10s, 5m, 24h or 7d"));
  return fallback;
}

std::uint64_t ConfigReader::size(std::string_view key, std::uint64_t fallback, std::uint64_t min,
                                 std::uint64_t max) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  const std::string text = node->as_string().value_or("");
  const std::optional<std::uint64_t> value = parse_with_unit(text, size_units);
  if (value && *value >= min && *value <= max) return *value;
  note(node->error("expected a size" +
                   range_text(with_unit(min, size_units), with_unit(max, size_units)) +
                   " such as 512, 64KiB, 32MiB or 1GiB"));
  return fallback;
}

std::size_t ConfigReader::choice(std::string_view key, std::size_t fallback,
                                 const std::vector<std::string_view>& allowed) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  const Result<std::string> value = node->as_string();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (value && *value == allowed[i]) return i;
    names.emplace_back(allowed[i]);
  }
  note(node->error("expected one of: " + join(names)));
  return fallback;
}

std::vector<std::string> ConfigReader::strings(std::string_view key,
                                               std::vector<std::string> fallback) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return fallback;
  Result<std::vector<std::string>> value = node->as_strings();
  if (value) return std::move(*value);
  note(std::move(value).error());
  return fallback;
}

std::optional<ConfigNode> ConfigReader::child(std::string_view key) {
  return take(key);
}

std::vector<ConfigNode> ConfigReader::list(std::string_view key) {
  const std::optional<ConfigNode> node = take(key);
  if (!node) return {};
  if (!node->is_list()) note(node->error("expected a list"));
  return node->items();
}

void ConfigReader::note(Error error) {
  errors_.push_back(std::move(error));
}

Result<void> ConfigReader::finish() {
  for (const auto& [key, node] : map_.members()) {
    if (std::ranges::find(asked_, key) == asked_.end())
      note(node.error(unknown_key_message(key, asked_)));
  }
  if (errors_.empty()) return {};
  Error joined = std::move(errors_.front());
  if (errors_.size() > 1) {
    joined = Error{joined.code, joined.describe(), {}};
    for (std::size_t i = 1; i < errors_.size(); ++i) joined.message += "\n" + errors_[i].describe();
  }
  errors_.clear();
  return std::unexpected(std::move(joined));
}

}  // namespace gatehouse
