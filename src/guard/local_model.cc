// See local_model.h.
#include "guard/local_model.h"

#include "base/log.h"

namespace gatehouse::guard {
namespace {

std::string identity_of(const Config& config, const std::string& digest) {
  return config.fingerprint + ":" + digest;
}

}  // namespace

LocalModel::LocalModel(Read read, std::string identity, const Config& config)
    : read_(std::make_shared<const Read>(std::move(read))),
      identity_(std::move(identity)),
      threads_(config.concurrency, config.waiting + 1) {}

Result<std::shared_ptr<LocalModel>> LocalModel::load(const Config& config) {
  GH_ASSIGN(auto classifier, onnx::Classifier::load(config.onnx));
  auto model = std::make_shared<LocalModel>(
      [classifier](std::string_view text, const std::stop_token& stop) {
        return classifier->classify(text, stop);
      },
      identity_of(config, classifier->digest()), config);
  model->classifier_ = std::move(classifier);
  return model;
}

bool LocalModel::read(std::string text, std::stop_token stop,
                      std::move_only_function<void(Result<onnx::Reading>)> done) {
  return threads_.submit([read = read_, text = std::move(text), stop = std::move(stop),
                          done = std::move(done)]() mutable {
    done(stop.stop_requested() ? fail(ErrorCode::cancelled, "stopped") : (*read)(text, stop));
  });
}

Result<LocalModels> load_local_models(const std::vector<Config>& configs,
                                      const LocalModels& before) {
  LocalModels models;
  for (const Config& config : configs) {
    if (config.type != Type::onnx) continue;
    if (const auto known = before.find(config.name); known != before.end()) {
      const auto digest = onnx::Classifier::digest_of(config.onnx);
      if (digest && known->second->identity() == identity_of(config, *digest)) {
        models.emplace(config.name, known->second);
        continue;
      }
    }
    auto model = LocalModel::load(config);
    if (!model)
      return std::unexpected(
          std::move(model).error().within("guards: guard \"" + config.name + "\""));
    const onnx::Classifier& classifier = *(*model)->classifier();
    log_info("guard model loaded", {{"guard", config.name},
                                    {"model", "sha256:" + classifier.model_digest()},
                                    {"runtime", classifier.runtime_version()}});
    models.emplace(config.name, std::move(*model));
  }
  return models;
}

}  // namespace gatehouse::guard
