// See classifier.h.
#include "onnx/classifier.h"

#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "onnx/runtime.h"
#include "onnx/tokenizer.h"
#include "onnx/windows.h"

namespace gatehouse::onnx {
namespace {

constexpr std::size_t largest_model = std::size_t{2} << 30;  // what a protocol buffer may have
constexpr std::size_t largest_tokenizer = 64u << 20;
constexpr std::size_t largest_config = 4u << 20;

Result<std::string> read(const std::string& path, std::size_t most) {
  auto file = read_file(path, most);
  if (!file) return std::unexpected(std::move(file).error());
  return file;
}

// What the model is given and gives, by its own names.
struct Ports {
  std::string ids;
  std::string mask;   // empty: none
  std::string types;  // empty: none
  ElementType type = ElementType::int64;
  std::string output;
  std::optional<std::size_t> fixed_length;  // it takes that many tokens, no fewer, no more
};

}  // namespace

struct Classifier::Impl {
  explicit Impl(Session made, Tokenizer with)
      : session(std::move(made)), tokenizer(std::move(with)) {}

  Result<Reading> read_window(std::span<const std::uint32_t> ids,
                              const std::stop_token& stop) const;

  Session session;
  Tokenizer tokenizer;
  Ports ports;
  LabelRule rule;
  WindowPlan plan;
  bool refuse_longer = false;
  std::string model_digest;
  std::string tokenizer_digest;
  std::string runtime_version;
  std::string digest;
};

namespace {

std::unexpected<Error> unfit(std::string problem) {
  return std::unexpected(Error{ErrorCode::invalid_argument, std::move(problem), {}});
}

std::string names_of(const std::vector<Port>& ports) {
  std::string names;
  for (const Port& port : ports) names += (names.empty() ? "" : ", ") + printable(port.name);
  return names;
}

bool is_batch_of_rows(const Port& port) {
  return port.is_tensor && port.shape.size() == 2 && (port.shape[0] == -1 || port.shape[0] == 1);
}

Result<void> take_inputs(const std::vector<Port>& inputs, Ports& ports) {
  for (const Port& port : inputs) {
    std::string* name = port.name == "input_ids"        ? &ports.ids
                        : port.name == "attention_mask" ? &ports.mask
                        : port.name == "token_type_ids" ? &ports.types
                                                        : nullptr;
    if (name == nullptr)
      return unfit("the model's input \"" + printable(port.name) +
                   "\" is none of input_ids, attention_mask, token_type_ids");
    const bool whole = port.type == ElementType::int64 || port.type == ElementType::int32;
    if (!is_batch_of_rows(port) || !whole)
      return unfit("the model's input " + port.name +
                   " is not [1, tokens] of 32 or 64-bit numbers");
    if (&port != &inputs.front() && ports.type != port.type)
      return unfit("the model's inputs are of different types");
    if (port.shape[1] > 0) ports.fixed_length = static_cast<std::size_t>(port.shape[1]);
    ports.type = port.type;
    *name = port.name;
  }
  if (ports.ids.empty()) return unfit("the model has no input input_ids");
  return {};
}

Result<void> take_output(const std::vector<Port>& outputs, Ports& ports) {
  const auto named = std::ranges::find(outputs, "logits", &Port::name);
  const Port* output = named != outputs.end() ? &*named
                       : outputs.size() == 1  ? &outputs.front()
                                              : nullptr;
  if (output == nullptr)
    return unfit("the model has no output logits, but several others: " + names_of(outputs));
  if (!is_batch_of_rows(*output) || output->type != ElementType::float32)
    return unfit("the model's output " + printable(output->name) +
                 " is not [1, labels] of 32-bit floats");
  ports.output = output->name;
  return {};
}

// Nobody needs it where the labels are named; then it may be missing beside the tokenizer.
Result<ModelConfig> read_model_config(const Options& options) {
  const bool beside = options.config.empty();
  const std::string path =
      beside ? (std::filesystem::path(options.tokenizer).parent_path() / "config.json").string()
             : options.config;
  auto text = read(path, largest_config);
  if (!text && text.error().code == ErrorCode::not_found && beside && !options.labels.empty())
    return ModelConfig{.labels = options.labels};
  if (!text) return std::unexpected(std::move(text).error());
  auto config = parse_model_config(*text);
  if (!config) return std::unexpected(std::move(config).error().within(path));
  if (!options.labels.empty()) config->labels = options.labels;
  return config;
}

Result<void> check_sizes(const ModelConfig& config, const Tokenizer& tokenizer,
                         std::size_t window) {
  if (config.vocabulary && tokenizer.highest_id() >= *config.vocabulary)
    return unfit("the tokenizer gives numbers up to " + std::to_string(tokenizer.highest_id()) +
                 ", the model (vocab_size) knows those below " +
                 std::to_string(*config.vocabulary));
  if (config.positions && window > *config.positions)
    return unfit("a window of " + std::to_string(window) +
                 " tokens is longer than the model reads (max_position_embeddings): " +
                 std::to_string(*config.positions));
  return {};
}

Result<LabelRule> read_rule(const Options& options, const ModelConfig& config) {
  LabelRule rule;
  rule.labels = config.labels;
  rule.harmful.resize(rule.labels.size());
  rule.scores = options.scores.value_or(config.multi_label ? Scores::sigmoid : Scores::softmax);
  rule.threshold = options.threshold;
  if (rule.scores == Scores::softmax && rule.labels.size() < 2)
    return unfit("softmax needs at least two labels (one label: scores: sigmoid)");
  for (const std::string& name : options.harmful) {
    const auto label = std::ranges::find(rule.labels, name);
    if (label == rule.labels.end()) {
      std::string known;
      for (const auto& one : rule.labels) known += (known.empty() ? "" : ", ") + printable(one);
      return unfit("harmful: the model has no label \"" + printable(name) + "\", but: " + known);
    }
    rule.harmful[static_cast<std::size_t>(label - rule.labels.begin())] = true;
  }
  return rule;
}

Result<WindowPlan> plan_windows(const Options& options, const Tokenizer& tokenizer,
                                const Ports& ports) {
  const std::size_t length = ports.fixed_length.value_or(options.window);
  const std::size_t framing = tokenizer.framing_tokens();
  if (length <= framing + options.overlap)
    return unfit("a window of " + std::to_string(length) + " tokens has no room for " +
                 std::to_string(framing) + " special ones and an overlap of " +
                 std::to_string(options.overlap));
  return WindowPlan{length - framing, options.overlap, options.windows};
}

std::string digest_of_text(std::string_view text) {
  return to_hex(crypto::sha256(bytes_of(text)));
}

std::string digest_of_all(const std::string& model, const std::string& tokenizer,
                          const LabelRule& rule) {
  std::string all = model + tokenizer + (rule.scores == Scores::softmax ? "m" : "g");
  for (const std::string& label : rule.labels) all += std::to_string(label.size()) + ":" + label;
  return digest_of_text(all);
}

}  // namespace

Result<Reading> Classifier::Impl::read_window(std::span<const std::uint32_t> ids,
                                              const std::stop_token& stop) const {
  ModelInput input = tokenizer.frame(ids);
  std::vector<std::int64_t> mask(input.ids.size(), 1);
  if (ports.fixed_length) {
    input.ids.resize(*ports.fixed_length, tokenizer.padding_id());
    input.types.resize(*ports.fixed_length, 0);
    mask.resize(*ports.fixed_length, 0);
  }
  // A model wants one token at least.
  if (input.ids.empty()) {
    input.ids.push_back(tokenizer.padding_id());
    input.types.push_back(0);
    mask.push_back(1);
  }
  std::vector<Row> rows;
  rows.push_back({ports.ids, ports.type, std::move(input.ids)});
  if (!ports.mask.empty()) rows.push_back({ports.mask, ports.type, std::move(mask)});
  if (!ports.types.empty()) rows.push_back({ports.types, ports.type, std::move(input.types)});
  GH_ASSIGN(const auto output, session.run(rows, ports.output, stop));
  if (output.shape.size() != 2 || output.shape[0] != 1)
    return fail(ErrorCode::failed_precondition, "the model's output is not [1, labels]");
  return judge(rule, output.values);
}

namespace {

// A short text, and a window as long as there can be: a model may have room for less.
Result<void> try_out(const Classifier::Impl& impl, const Options& options) {
  auto ids = impl.tokenizer.encode("Is this text harmless?");
  auto reading = impl.read_window(std::span(ids).first(std::min(ids.size(), impl.plan.length)), {});
  if (!reading) return std::unexpected(std::move(reading).error().within(options.model));
  ids.resize(impl.plan.length, ids.empty() ? impl.tokenizer.padding_id() : ids.back());
  reading = impl.read_window(ids, {});
  if (reading) return {};
  return std::unexpected(std::move(reading).error().within(
      "a window of " + std::to_string(options.window) + " tokens, " + options.model));
}

}  // namespace

Result<std::shared_ptr<const Classifier>> Classifier::load(const Options& options) {
  GH_ASSIGN(const auto config, read_model_config(options));
  GH_ASSIGN(auto rule, read_rule(options, config));
  GH_ASSIGN(const std::string tokenizer_file, read(options.tokenizer, largest_tokenizer));
  auto tokenizer = Tokenizer::parse(tokenizer_file);
  if (!tokenizer) return std::unexpected(std::move(tokenizer).error().within(options.tokenizer));
  GH_ASSIGN(auto runtime, Runtime::load(options.runtime));
  const std::string version = runtime->version();
  GH_ASSIGN(const std::string model_file, read(options.model, largest_model));
  auto session = Session::create(std::move(runtime), model_file, options.threads);
  if (!session) return std::unexpected(std::move(session).error().within(options.model));

  auto impl = std::make_shared<Impl>(std::move(*session), std::move(*tokenizer));
  impl->rule = std::move(rule);
  impl->refuse_longer = options.refuse_longer;
  impl->model_digest = digest_of_text(model_file);
  impl->tokenizer_digest = digest_of_text(tokenizer_file);
  impl->digest = digest_of_all(impl->model_digest, impl->tokenizer_digest, impl->rule);
  impl->runtime_version = version;
  auto fits = take_inputs(impl->session.inputs(), impl->ports);
  if (fits) fits = take_output(impl->session.outputs(), impl->ports);
  if (!fits) return std::unexpected(std::move(fits).error().within(options.model));
  GH_ASSIGN(impl->plan, plan_windows(options, impl->tokenizer, impl->ports));
  GH_TRY(
      check_sizes(config, impl->tokenizer, impl->plan.length + impl->tokenizer.framing_tokens()));

  GH_TRY(try_out(*impl, options));
  return std::shared_ptr<const Classifier>(new Classifier(std::move(impl)));
}

Result<Reading> Classifier::classify(std::string_view text, const std::stop_token& stop) const {
  const auto ids = impl_->tokenizer.encode(text);
  const std::size_t needed = windows_needed(ids.size(), impl_->plan);
  if (impl_->refuse_longer && needed > impl_->plan.most)
    return fail(ErrorCode::resource_exhausted, "the text has more windows than are read");
  const auto windows = windows_of(ids.size(), impl_->plan);
  Reading worst;
  bool any = false;
  for (const Window& window : windows) {
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    GH_ASSIGN(
        auto reading,
        impl_->read_window(std::span(ids).subspan(window.begin, window.end - window.begin), stop));
    if (!any || reading.score > worst.score) worst = std::move(reading);
    any = true;
  }
  worst.windows = windows.size();
  worst.windows_of = needed;
  return worst;
}

Result<std::string> Classifier::digest_of(const Options& options) {
  GH_ASSIGN(const auto config, read_model_config(options));
  GH_ASSIGN(const auto rule, read_rule(options, config));
  GH_ASSIGN(const std::string tokenizer_file, read(options.tokenizer, largest_tokenizer));
  GH_ASSIGN(const std::string model_file, read(options.model, largest_model));
  return digest_of_all(digest_of_text(model_file), digest_of_text(tokenizer_file), rule);
}

const std::string& Classifier::digest() const {
  return impl_->digest;
}
const std::string& Classifier::model_digest() const {
  return impl_->model_digest;
}
const std::string& Classifier::tokenizer_digest() const {
  return impl_->tokenizer_digest;
}
const std::string& Classifier::runtime_version() const {
  return impl_->runtime_version;
}
const std::vector<std::string>& Classifier::labels() const {
  return impl_->rule.labels;
}

}  // namespace gatehouse::onnx
