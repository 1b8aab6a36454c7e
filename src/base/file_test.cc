#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/id.h"

namespace gatehouse {
namespace {

class FileTest : public testing::Test {
 protected:
  FileTest() {
    SystemRandom random;
    folder_ =
        std::filesystem::temp_directory_path() / ("file_test." + make_uuid7(SystemClock(), random));
    std::filesystem::create_directory(folder_);
  }
  ~FileTest() override { std::filesystem::remove_all(folder_); }

  std::size_t files_in_folder() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) count += entry.exists();
    return count;
  }
  static unsigned mode_of(const std::filesystem::path& path) {
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  std::filesystem::path folder_;
};

TEST_F(FileTest, a_file_that_is_there_is_not_created_again) {
  ASSERT_TRUE(create_file_atomically(folder_ / "f", "first"));
  EXPECT_EQ(mode_of(folder_ / "f"), 0600u);
  const auto second = create_file_atomically(folder_ / "f", "second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::already_exists);
  EXPECT_EQ(read_file(folder_ / "f"), "first");
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, what_was_written_is_read) {
  const std::string content("a\0b\nc", 5);
  ASSERT_TRUE(write_file_atomically(folder_ / "f", content));
  EXPECT_EQ(read_file(folder_ / "f"), content);
  EXPECT_EQ(mode_of(folder_ / "f"), 0600u);
  EXPECT_EQ(files_in_folder(), 1u);
}

TEST_F(FileTest, the_mode_does_not_depend_on_the_umask) {
  const mode_t before = ::umask(077);
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "x", 0644));
  ::umask(before);
  EXPECT_EQ(mode_of(folder_ / "f"), 0644u);
}

TEST_F(FileTest, an_old_file_is_replaced_whole) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", std::string(100'000, 'a')));
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "short"));
  EXPECT_EQ(read_file(folder_ / "f"), "short");
}

TEST_F(FileTest, a_failed_write_leaves_nothing_behind) {
  std::filesystem::create_directory(folder_ / "taken");
  const auto written = write_file_atomically(folder_ / "taken", "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().context, (folder_ / "taken").string());
  EXPECT_EQ(files_in_folder(), 1u);
  EXPECT_FALSE(write_file_atomically(folder_ / "no" / "folder", "x"));
}

TEST_F(FileTest, reading_is_bounded) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", "12345"));
  EXPECT_EQ(read_file(folder_ / "f", 5), "12345");
  const auto refused = read_file(folder_ / "f", 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::resource_exhausted);
  EXPECT_FALSE(read_file("/dev/zero", 1 << 20));  // endless, and not a regular file
}

TEST_F(FileTest, errors_name_the_file) {
  const auto missing = read_file(folder_ / "missing");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_EQ(missing.error().context, (folder_ / "missing").string());
  EXPECT_FALSE(read_file(folder_));
}

TEST_F(FileTest, an_empty_file_is_empty) {
  ASSERT_TRUE(write_file_atomically(folder_ / "f", ""));
  EXPECT_EQ(read_file(folder_ / "f"), "");
  EXPECT_EQ(read_file(folder_ / "f", 0), "");
}

}  // namespace
}  // namespace gatehouse
