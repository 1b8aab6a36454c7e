// What is particular to a guard of type onnx in `guards:`. See guard.h and onnx/classifier.h.
#include "guard/config_parts.h"

namespace gatehouse::guard {
namespace {

constexpr std::size_t most_labels = 1'000;

std::string from_folder(const std::filesystem::path& folder, const std::string& path) {
  return path.empty() ? "" : (folder / path).string();  // an absolute path stays
}

}  // namespace

void read_onnx_type(ConfigReader& reader, const ConfigNode& node,
                    const std::filesystem::path& folder, Config& config) {
  auto& options = config.onnx;
  const auto count = [&](std::string_view key, std::size_t fallback, std::int64_t least,
                         std::int64_t most) {
    return static_cast<std::size_t>(
        reader.integer(key, static_cast<std::int64_t>(fallback), least, most));
  };
  options.model = from_folder(folder, reader.required_string("model"));
  options.tokenizer = from_folder(folder, reader.required_string("tokenizer"));
  options.config = from_folder(folder, reader.string("model_config", ""));
  // A bare name is looked for where the system looks for libraries.
  options.runtime = reader.string("runtime", "");
  if (options.runtime.contains('/')) options.runtime = from_folder(folder, options.runtime);
  options.labels = reader.strings("labels");
  options.harmful = reader.strings("harmful");
  if (options.harmful.empty()) reader.note(node.error("harmful: name one label at least"));
  if (options.labels.size() > most_labels || options.harmful.size() > most_labels)
    reader.note(node.error("there can be at most 1000 labels"));
  switch (reader.choice("scores", 0, {"model", "softmax", "sigmoid"})) {
    case 1:
      options.scores = onnx::Scores::softmax;
      break;
    case 2:
      options.scores = onnx::Scores::sigmoid;
      break;
    default:
      break;
  }
  options.window = count("window", options.window, 8, 32'768);
  options.overlap = count("overlap", options.overlap, 0, 16'384);
  options.windows = count("windows", options.windows, 2, 10'000);
  options.refuse_longer = reader.choice("long_texts", 0, {"ends", "refuse"}) == 1;
  options.threads = static_cast<int>(reader.integer("threads", options.threads, 1, 64));
  if (options.overlap >= options.window)
    reader.note(node.error("overlap: must be smaller than window"));
}

}  // namespace gatehouse::guard
