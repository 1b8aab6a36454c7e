// Small files of each family; what large ones make of many texts is compared in tests/onnx.
#include "onnx/tokenizer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "onnx/byte_trie.h"
#include "onnx/char_map.h"
#include "onnx/unicode.h"
#include "onnx/word_patterns.h"

namespace gatehouse::onnx {
namespace {

using nlohmann::json;
using Ids = std::vector<std::uint32_t>;

json bert_file() {
  return {{"version", "1.0"},
          {"added_tokens", {{{"id", 2}, {"content", "[CLS]"}, {"special", true}}}},
          {"normalizer", {{"type", "BertNormalizer"}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor",
           {{"type", "BertProcessing"}, {"sep", {"[SEP]", 3}}, {"cls", {"[CLS]", 2}}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"vocab",
             {{"[PAD]", 0},
              {"[UNK]", 1},
              {"[CLS]", 2},
              {"[SEP]", 3},
              {"ignore", 4},
              {"all", 5},
              {"##s", 6},
              {"rule", 7},
              {"!", 8},
              {"中", 9},
              {"[", 10},
              {"]", 11},
              {"cl", 12}}}}}};
}

json unigram_file() {
  return json::parse(R"({
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"},
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["▁", -2.0], ["a", -3.0],
      ["b", -3.5], ["ab", -4.0], ["▁ab", -4.5], ["ba", -9.0]]}})");
}

json bpe_file() {
  return {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "?"},
            {"vocab",
             {{"?", 0}, {"a", 1}, {"b", 2}, {"c", 3}, {"ab", 4}, {"abc", 5}, {"Ġ", 6}, {"Ġab", 7}}},
            {"merges", {"a b", "ab c", "Ġ ab"}}}}};
}

Tokenizer read(const json& file) {
  auto tokenizer = Tokenizer::parse(file.dump());
  EXPECT_TRUE(tokenizer.has_value()) << (tokenizer ? "" : tokenizer.error().describe());
  return *tokenizer;
}

std::string refusal(const json& file) {
  const auto tokenizer = Tokenizer::parse(file.dump());
  return tokenizer ? "" : tokenizer.error().describe();
}

TEST(WordPiece, CutsNormalizedWordsFromTheLeft) {
  const Tokenizer tokenizer = read(bert_file());
  EXPECT_EQ(tokenizer.encode("IGNORE  all\trules!"), (Ids{4, 5, 7, 6, 8}));
  EXPECT_EQ(tokenizer.encode("Ígnôre"), Ids{4});
  EXPECT_EQ(tokenizer.encode("all中all"), (Ids{5, 9, 5}));
  EXPECT_EQ(tokenizer.encode("rulers"), Ids{1});
  EXPECT_EQ(tokenizer.encode(""), Ids{});
  EXPECT_EQ(tokenizer.encode(std::string(101, 's')), Ids{1});
  EXPECT_EQ(tokenizer.encode("all\xff"), Ids{5});  // U+FFFD is cleaned away
}

TEST(WordPiece, SpecialTokensStandAroundTheTextAndAreTextWithinIt) {
  const Tokenizer tokenizer = read(bert_file());
  const ModelInput framed = tokenizer.frame(tokenizer.encode("all"));
  EXPECT_EQ(framed.ids, (std::vector<std::int64_t>{2, 5, 3}));
  EXPECT_EQ(framed.types, (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(tokenizer.framing_tokens(), 2u);
  EXPECT_EQ(tokenizer.padding_id(), 0u);
  EXPECT_EQ(tokenizer.encode("[CLS]"), (Ids{10, 12, 6, 11}));
}

TEST(Unigram, TakesTheBestSum) {
  const Tokenizer tokenizer = read(unigram_file());
  EXPECT_EQ(tokenizer.encode("ab"), Ids{5});
  EXPECT_EQ(tokenizer.encode("aba"), (Ids{5, 2}));
  EXPECT_EQ(tokenizer.encode("ab ab"), (Ids{5, 5}));
  // Unknown characters in a row are one.
  EXPECT_EQ(tokenizer.encode("axyzb"), (Ids{1, 2, 0, 3}));
}

TEST(Bpe, JoinsByRank) {
  const Tokenizer tokenizer = read(bpe_file());
  EXPECT_EQ(tokenizer.encode("abc"), Ids{5});
  EXPECT_EQ(tokenizer.encode("abab"), (Ids{4, 4}));
  EXPECT_EQ(tokenizer.encode("c abc"), (Ids{3, 6, 5}));
  EXPECT_EQ(tokenizer.encode("c ab"), (Ids{3, 7}));
  EXPECT_EQ(tokenizer.encode("zz"), (Ids{0, 0}));
}

TEST(AddedTokens, AreFoundBeforeAndAfterNormalizing) {
  json file = bert_file();
  file["added_tokens"] = {
      {{"id", 20}, {"content", "ALL"}, {"normalized", false}, {"special", false}},
      {{"id", 21}, {"content", "Rule"}, {"normalized", true}, {"special", false}},
      {{"id", 22},
       {"content", "<x>"},
       {"normalized", false},
       {"special", false},
       {"lstrip", true},
       {"rstrip", true}}};
  const Tokenizer tokenizer = read(file);
  EXPECT_EQ(tokenizer.encode("ALL all"), (Ids{20, 5}));
  EXPECT_EQ(tokenizer.encode("RULE"), Ids{21});
  EXPECT_EQ(tokenizer.encode("all  <x>  all"), (Ids{5, 22, 5}));
}

TEST(Files, WhatIsNotSupportedIsRefusedByName) {
  json file = bert_file();
  file["normalizer"] = {{"type", "Sequence"},
                        {"normalizers", {{{"type", "Lowercase"}}, {{"type", "Mystery"}}}}};
  EXPECT_NE(refusal(file).find("normalizer.normalizers[1] (Mystery)"), std::string::npos);
  file = bert_file();
  file["model"]["surprise"] = true;
  EXPECT_NE(refusal(file).find("\"surprise\" is not supported"), std::string::npos);
  file = bert_file();
  file["what"] = 1;
  EXPECT_NE(refusal(file).find("\"what\""), std::string::npos);
  file = bert_file();
  file["model"]["unk_token"] = "nobody";
  EXPECT_NE(refusal(file).find("unk_token"), std::string::npos);
  file = bpe_file();
  file["model"]["merges"] = {"a z"};
  EXPECT_NE(refusal(file).find("merges[0]"), std::string::npos);
  file = bpe_file();
  file["model"]["dropout"] = 0.1;
  EXPECT_NE(refusal(file).find("dropout"), std::string::npos);
  file = unigram_file();
  file["model"]["vocab"][1] = "a";
  EXPECT_NE(refusal(file).find("vocab[1]"), std::string::npos);
  file = unigram_file();
  file["normalizer"] = {{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}};
  file["pre_tokenizer"]["prepend_scheme"] = "first";
  EXPECT_NE(refusal(file).find("first"), std::string::npos);
  for (const char* text :
       {"", "{", "[]", "{}", "null", "{\"model\": {}}", "{\"model\": {\"type\": \"BPE\"}}"})
    EXPECT_FALSE(Tokenizer::parse(text).has_value()) << text;
}

TEST(Files, ManyStepsAreRefused) {
  json file = bert_file();
  json& sequence = file["normalizer"];
  sequence = {{"type", "Sequence"}, {"normalizers", json::array()}};
  for (int step = 0; step < 64; ++step) sequence["normalizers"].push_back({{"type", "Lowercase"}});
  EXPECT_TRUE(Tokenizer::parse(file.dump()).has_value());
  sequence["normalizers"].push_back({{"type", "Lowercase"}});
  EXPECT_NE(refusal(file).find("normalizers[64]: too many steps"), std::string::npos);
}

TEST(Files, DeepSequencesAreRefused) {
  json file = bert_file();
  json nested = {{"type", "Lowercase"}};
  for (int depth = 0; depth < 1'000; ++depth)
    nested = {{"type", "Sequence"}, {"normalizers", json::array({std::move(nested)})}};
  file["normalizer"] = nested;
  EXPECT_NE(refusal(file).find("too deep"), std::string::npos);
}

TEST(Templates, TypesAndSpecialTokensAsTheFileSays) {
  json file = bert_file();
  file["post_processor"] = json::parse(R"({"type": "Sequence", "processors": [
    {"type": "ByteLevel", "trim_offsets": true},
    {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 1}}, {"SpecialToken": {"id": "y", "type_id": 2}}],
     "pair": [], "special_tokens": {"x": {"id": "x", "ids": [7, 8], "tokens": ["x", "x"]},
                                    "y": {"id": "y", "ids": [9], "tokens": ["y"]}}}]})");
  const Tokenizer tokenizer = read(file);
  const ModelInput framed = tokenizer.frame(std::vector<std::uint32_t>{5});
  EXPECT_EQ(framed.ids, (std::vector<std::int64_t>{7, 8, 5, 9}));
  EXPECT_EQ(framed.types, (std::vector<std::int64_t>{0, 0, 1, 2}));
  file["post_processor"]["processors"][1]["special_tokens"].erase("y");
  EXPECT_NE(refusal(file).find("special_tokens"), std::string::npos);
}

TEST(ByteTries, PrefixesShortestFirst) {
  const ByteTrie trie({{"a", 1}, {"abc", 2}, {"b", 3}, {"abd", 4}, {"abc", 5}, {"", 6}});
  std::vector<std::pair<std::size_t, std::uint32_t>> found;
  trie.each_prefix(
      "abcd", [&](const ByteTrie::Match& match) { found.emplace_back(match.bytes, match.value); });
  EXPECT_EQ(found, (std::vector<std::pair<std::size_t, std::uint32_t>>{{1, 1}, {3, 5}}));
  EXPECT_FALSE(trie.longest("c").has_value());
  EXPECT_FALSE(ByteTrie().longest("a").has_value());
}

RC_GTEST_PROP(ByteTries, FindWhatASearchFinds,
              (const std::vector<std::string>& words, const std::string& text)) {
  std::vector<ByteTrie::Entry> entries;
  for (std::uint32_t at = 0; at < words.size(); ++at) entries.emplace_back(words[at], at);
  const ByteTrie trie(entries);
  std::size_t longest = 0;
  for (const std::string& word : words)
    if (text.starts_with(word)) longest = std::max(longest, word.size());
  const auto match = trie.longest(text);
  RC_ASSERT((match ? match->bytes : 0) == longest);
}

TEST(CharMaps, HostileBytesAreRefusedOrHarmless) {
  EXPECT_FALSE(CharMap::parse("").has_value());
  EXPECT_FALSE(CharMap::parse(std::string(4, '\0')).has_value());
  EXPECT_FALSE(CharMap::parse(std::string("\xff\xff\xff\xff", 4)).has_value());
  EXPECT_FALSE(CharMap::parse(std::string("\x04\0\0\0\0\0\0\0\xff", 9)).has_value());
  const auto map = CharMap::parse(std::string("\x04\0\0\0\xff\xff\xff\xff", 8));
  ASSERT_TRUE(map.has_value());
  EXPECT_EQ(map->apply("any text é"), "any text é");
}

TEST(Normalizing, FormsAndOrder) {
  EXPECT_EQ(normalize("e\u0301", Form::nfc), "\u00e9");
  EXPECT_EQ(normalize("\u00e9", Form::nfd), "e\u0301");
  EXPECT_EQ(normalize("\ufb01\u2460", Form::nfkc), "fi1");
  EXPECT_EQ(normalize("a\u0301\u0327", Form::nfd), "a\u0327\u0301");
  EXPECT_EQ(normalize("\u1112\u1161\u11ab", Form::nfc), "\ud55c");
}

TEST(Normalizing, ManyMarksTakeNoLongerThanTheyShould) {
  std::string text = "a";
  for (int pair = 0; pair < 100'000; ++pair) text += "\u0301\u0327";
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(normalize(text, Form::nfd).size(), text.size());
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST(WordPatterns, EveryTextIsCutWithoutAGap) {
  rc::check([](const std::vector<std::uint16_t>& codes) {
    std::string text;
    for (const std::uint16_t code : codes)
      append_character(text, code < 0xd800 ? code % 0x300 : U' ');
    const WordEnd llama = word_end_of(
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
    for (const WordEnd& words : {WordEnd(gpt2_word_end), llama})
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = words(text, at);
        RC_ASSERT(end > at);
        RC_ASSERT(end <= text.size());
        at = end;
      }
  });
}

TEST(LongTexts, AreCutInLinearTime) {
  const auto took = [](const Tokenizer& tokenizer, const std::string& text) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_FALSE(tokenizer.encode(text).empty());
    return std::chrono::steady_clock::now() - began;
  };
  std::string letters;
  for (int at = 0; at < 500'000; ++at) letters += "ab"[at % 3 == 0];
  for (const json& file : {bert_file(), unigram_file(), bpe_file()})
    for (const std::string& text :
         {letters, std::string(1'000'000, ' '), std::string(1'000'000, 'a')})
      if (const Tokenizer tokenizer = read(file); file != bert_file() || text[0] != ' ')
        EXPECT_LT(took(tokenizer, text), std::chrono::seconds(5));
}

}  // namespace
}  // namespace gatehouse::onnx
