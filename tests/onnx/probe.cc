// Shows what src/onnx makes of texts, for comparison with the libraries of Python:
//   onnx_probe tokens TOKENIZER     token numbers of the text alone, of the framed text, its types
//   onnx_probe scores OPTIONS       OPTIONS is a JSON object with onnx::Options' members
// Texts come on standard input, each a JSON string on a line of its own; a line of JSON goes out
// for each. What cannot be loaded: the problem on standard error, exit code 2.
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "onnx/classifier.h"
#include "onnx/tokenizer.h"

using namespace gatehouse;
using nlohmann::json;

namespace {

int refuse(const Error& error) {
  std::cerr << error.describe() << "\n";
  return 2;
}

template <class Answer>
int answer_lines(Answer&& answer) {
  std::string line;
  while (std::getline(std::cin, line))
    std::cout << answer(json::parse(line).get<std::string>()).dump() << "\n";
  return 0;
}

int show_tokens(const std::string& path) {
  const auto file = read_file(path);
  if (!file) return refuse(file.error());
  const auto tokenizer = onnx::Tokenizer::parse(*file);
  if (!tokenizer) return refuse(tokenizer.error());
  return answer_lines([&](const std::string& text) {
    const auto ids = tokenizer->encode(text);
    const auto framed = tokenizer->frame(ids);
    return json{{"ids", ids}, {"framed", framed.ids}, {"types", framed.types}};
  });
}

onnx::Options options_from(const json& given) {
  onnx::Options options;
  options.model = given.at("model");
  options.tokenizer = given.at("tokenizer");
  options.runtime = given.at("runtime");
  options.labels = given.value("labels", std::vector<std::string>());
  options.harmful = given.value("harmful", std::vector<std::string>());
  options.threshold = given.value("threshold", options.threshold);
  options.window = given.value("window", options.window);
  options.overlap = given.value("overlap", options.overlap);
  options.windows = given.value("windows", options.windows);
  options.threads = given.value("threads", options.threads);
  if (given.contains("scores"))
    options.scores = given["scores"] == "sigmoid" ? onnx::Scores::sigmoid : onnx::Scores::softmax;
  return options;
}

int show_scores(const std::string& path) {
  const auto file = read_file(path);
  if (!file) return refuse(file.error());
  const auto classifier = onnx::Classifier::load(options_from(json::parse(*file)));
  if (!classifier) return refuse(classifier.error());
  std::cerr << (*classifier)->runtime_version() << " " << (*classifier)->model_digest() << "\n";
  return answer_lines([&](const std::string& text) {
    const auto reading = (*classifier)->classify(text, {});
    if (!reading) return json{{"error", reading.error().describe()}};
    return json{{"score", reading->score},
                {"harmful", reading->harmful},
                {"labels", reading->labels},
                {"windows", {reading->windows, reading->windows_of}}};
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string verb = argc == 3 ? argv[1] : "";
  if (verb == "tokens") return show_tokens(argv[2]);
  if (verb == "scores") return show_scores(argv[2]);
  std::cerr << "usage: onnx_probe tokens TOKENIZER | scores OPTIONS\n";
  return 1;
}
