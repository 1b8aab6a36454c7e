// See readings.h.
#include "classify/readings.h"

#include <algorithm>
#include <string>
#include <vector>

#include "inspect/fold.h"

namespace gatehouse::classify {
namespace {

using Take = std::function<void(std::string_view)>;

void take_folded(std::string_view text, const Take& take) {
  inspect::FoldedText folded;
  folded.update(text, 0, true);
  if (!folded.is_plain()) take(folded.text());
}

// Brackets and numbers with blanks between them are found as hidden texts too, and mean nothing.
bool is_mostly_letters(std::string_view text) {
  const auto letters = std::ranges::count_if(
      text, [](unsigned char c) { return c >= 0x80 || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); });
  return 2 * static_cast<std::size_t>(letters) >= text.size();
}

std::string hidden_in(std::string_view text) {
  std::string hidden;
  for (const std::string& one : inspect::hidden_texts(text)) {
    if (!is_mostly_letters(one)) continue;
    if (!hidden.empty()) hidden += '\n';
    hidden += one;
  }
  return hidden;
}

void take_hidden(std::string_view text, const Take& take) {
  for (std::size_t at = 0; at < text.size(); at += hidden_piece_bytes) {
    const std::string hidden = hidden_in(text.substr(at, hidden_piece_bytes));
    if (hidden.size() < least_hidden_bytes) continue;
    take(hidden);
    take_folded(hidden, take);
  }
}

}  // namespace

void for_each_reading(std::string_view text, const Take& take) {
  take(text);
  std::vector<std::string_view> parts{text};
  if (text.size() > most_decoded_bytes)
    parts = {text.substr(0, most_decoded_bytes / 2),
             text.substr(text.size() - most_decoded_bytes / 2)};
  for (const auto part : parts) {
    take_folded(part, take);
    take_hidden(part, take);
  }
}

}  // namespace gatehouse::classify
