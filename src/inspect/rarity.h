// Is a value a secret, or a word, a name in code, a placeholder? Entropy alone cannot tell
// "hunter2" from "required"; how rare its letter pairs are among words can. Pure.
#pragma once

#include <string_view>

namespace gatehouse::inspect {

// Mean bits of a run's letter pairs under a model of English and technical words: words lie near 4,
// random letters near 6.3. Bytes that are not letters end a run; runs shorter than three letters
// say nothing. 0 when there is no such run.
double word_rarity(std::string_view text);

// "changeme", "<your key>", "${VAR}", "xxxx", "********", "os.environ", "[CREDENTIAL_1]" …
bool is_placeholder(std::string_view value);

// A name, a path, a call or an access in code: "config.password", "getpass()", "access_token".
bool is_code_reference(std::string_view value);

}  // namespace gatehouse::inspect
