// What a record becomes for one type of receiver. For one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "export/config.h"
#include "export/ocsf.h"
#include "export/record.h"

namespace gatehouse::exporter {

class Format {
 public:
  virtual ~Format() = default;
  // Empty: the record is not for this receiver.
  virtual std::string make(const Record& record) = 0;
  // A record that was delivered before a restart and is read again for what it begins.
  virtual void replay(const Record& record) = 0;
  // Where reading must begin after a restart, when everything before `next` was delivered.
  virtual std::uint64_t replay_from(std::uint64_t next) const = 0;
};

// `source` must outlive it.
std::unique_ptr<Format> make_format(Type type, const Source& source);

}  // namespace gatehouse::exporter
