// The conversation as what values are compared with: its words by where they stand, its numbers and
// its times by how far they are trusted. Internal to flow/.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "flow/flow.h"
#include "flow/times.h"
#include "flow/words.h"

namespace gatehouse::flow {

inline constexpr std::size_t found_standings = 4;  // all but derived

// One run of text: a whole passage, or one value of a JSON result.
struct Segment {
  Standing standing = Standing::untrusted;
  Confidentiality confidentiality = Confidentiality::public_;
  std::uint32_t record = 0;  // values of one record share it; 0: none
  std::vector<std::string> words;
};

class Sources {
 public:
  explicit Sources(Day today);
  void add(const Passage& passage);

  // Segments in which these words stand one after the other, in the order in which they came.
  std::vector<std::uint32_t> holding(const std::vector<std::string>& words) const;
  // Segments in which they stand with other separators: accounts and phone numbers in groups.
  std::vector<std::uint32_t> holding_compact(const std::vector<std::string>& words) const;
  std::vector<std::uint32_t> holding_number(double value) const;
  const Segment& segment(std::uint32_t index) const { return segments_[index]; }

  // Whether the user's own words name this record: one of its texts stands in them.
  bool selected(std::uint32_t record) const;
  // Whether the user's words name it by a number its tool vouches for, and name no other record so:
  // "that 10.00 I got".
  bool selected_by_number(std::uint32_t record) const;
  // How texts of a standing name this short number. `like_a_name`: it is no count of the word
  // behind it and no day of a month; `outright`: behind a word like "file" or "id".
  enum class Naming : std::uint8_t { not_at_all, like_a_name, outright };
  Naming naming(const std::string& number, Standing by) const;
  // How long records of results take: minutes between two of their times, and how far that is
  // trusted.
  const std::vector<std::pair<int, Standing>>& spans() const { return spans_; }
  // Whether a word of the user begins like this option.
  bool user_word_begins(std::string_view option) const;

  const TimeFacts& times(Standing standing) const;
  const std::set<Day>& references() const { return references_; }
  // Numbers of the user, and of trusted results; bounded.
  const std::vector<Number>& numbers(Standing standing) const;

  Integrity context_integrity() const { return integrity_; }
  Confidentiality context_confidentiality() const { return confidentiality_; }
  // Some of the conversation was too long to compare: a value may stand there as well.
  bool cut() const { return cut_; }

 private:
  struct Place {
    std::uint32_t segment;
    std::uint32_t word;
  };
  bool add_json(const Passage& passage);
  void add_segment(Standing standing, const Passage& passage, std::string_view text,
                   std::uint32_t record);
  void note_facts(const Segment& segment);
  void note_time_of_record(const Segment& segment);
  bool names_in_user_words(const std::vector<std::string>& words) const;

  std::vector<Segment> segments_;
  std::unordered_map<std::string, std::vector<Place>> places_;
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> records_;  // their segments
  std::array<TimeFacts, found_standings> times_;
  std::array<std::vector<Number>, found_standings> numbers_;
  std::unordered_map<std::int64_t, std::vector<std::uint32_t>> number_places_;  // by hundredths
  std::set<Day> references_;
  std::set<std::string, std::less<>> user_words_;
  std::set<std::string, std::less<>> user_pairs_;  // of neighbouring words, without punctuation
  std::vector<std::pair<int, Standing>> spans_;
  std::unordered_map<std::uint32_t, std::vector<std::pair<std::int64_t, Standing>>> record_times_;
  std::size_t words_ = 0;
  std::uint32_t last_record_ = 0;
  Integrity integrity_ = Integrity::trusted;
  Confidentiality confidentiality_ = Confidentiality::public_;
  bool cut_ = false;

  friend class JsonSource;
};

}  // namespace gatehouse::flow
