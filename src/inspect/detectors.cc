// The list of detectors compiled into the program. Whoever writes one adds it here.
#include "inspect/detector.h"
#include "inspect/names.h"

namespace gatehouse::inspect {
namespace {

class PlainReader final : public TextReader {
 public:
  explicit PlainReader(const PlainDetector& detector) : detector_(detector) {}

  void restart() override {}
  std::size_t frontier(std::string_view text, std::size_t /*base*/, std::size_t from) override {
    return detector_.frontier(text, from);
  }
  void find(std::string_view text, std::size_t /*base*/, std::size_t from, std::size_t to,
            std::vector<Match>& found) override {
    detector_.find(text, from, to, found);
  }

 private:
  const PlainDetector& detector_;
};

}  // namespace

std::unique_ptr<TextReader> PlainDetector::reader(Memory* /*memory*/) const {
  return std::make_unique<PlainReader>(*this);
}

std::vector<Match> find_all(const Detector& detector, std::string_view text) {
  const auto memory = detector.memory();
  std::vector<Match> found;
  detector.reader(memory.get())->find(text, 0, 0, text.size(), found);
  return found;
}

std::vector<std::unique_ptr<const Detector>> builtin_detectors() {
  std::vector<std::unique_ptr<const Detector>> detectors;
  detectors.push_back(builtin_name_detector());
  return detectors;
}

}  // namespace gatehouse::inspect
