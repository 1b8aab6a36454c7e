// The C interface of the Rust crate in this folder: Cedar's engine for src/policy, nobody else.
//
// 1. A set is immutable after gh_cedar_load and may be used from any number of threads.
// 2. Text is UTF-8 with a length; NUL bytes are ordinary. Ill-formed UTF-8 is an error, not a crash.
// 3. Text handed out by a const getter lives as long as the set; gh_cedar_decision::errors belongs
//    to the caller, who gives it back to gh_cedar_text_free. Nothing here is freed with free().
// 4. No function unwinds: a panic inside becomes GH_CEDAR_PANIC, and a decision is then a deny.
// 5. Nothing on the way of gh_cedar_decide parses policies, schema or JSON.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Changes whenever a struct or a function below does; src/policy refuses another one.
#define GH_CEDAR_ABI_VERSION 3u

enum { GH_CEDAR_OK = 0, GH_CEDAR_INVALID = 1, GH_CEDAR_PANIC = 2 };

typedef struct gh_cedar_text {
  const char* data;
  size_t size;
} gh_cedar_text;

typedef struct gh_cedar_file {
  gh_cedar_text name;
  gh_cedar_text text;
} gh_cedar_file;

// Attributes are a flat list of nodes in depth-first order. A set is followed by `number` string
// nodes (keys empty), a record by `number` members, each with what follows it.
enum {
  GH_CEDAR_BOOL = 1,    // number: 0 or 1
  GH_CEDAR_LONG = 2,    // number
  GH_CEDAR_STRING = 3,  // text
  GH_CEDAR_SET = 4,
  GH_CEDAR_RECORD = 5,
  GH_CEDAR_DECIMAL = 6,  // number: ten-thousandths
};

typedef struct gh_cedar_node {
  gh_cedar_text key;
  gh_cedar_text text;
  int64_t number;
  uint32_t kind;
} gh_cedar_node;

typedef struct gh_cedar_nodes {
  const gh_cedar_node* data;
  size_t size;  // all nodes, not only the outermost
} gh_cedar_nodes;

// `type` is without the namespace given to gh_cedar_load.
typedef struct gh_cedar_uid {
  gh_cedar_text type;
  gh_cedar_text id;
} gh_cedar_uid;

typedef struct gh_cedar_entity {
  gh_cedar_uid uid;
  gh_cedar_nodes attributes;
  const gh_cedar_uid* parents;
  size_t parent_count;
} gh_cedar_entity;

typedef struct gh_cedar_request {
  gh_cedar_entity principal;
  gh_cedar_text action;
  gh_cedar_entity resource;
  gh_cedar_nodes context;
  // What else is known, mostly of parents: groups that are in groups. May be none.
  const gh_cedar_entity* others;
  size_t other_count;
} gh_cedar_request;

enum {
  GH_CEDAR_NOT_DETERMINING = 0,
  GH_CEDAR_DETERMINING = 1,  // of the decision; of a policy kept apart: it applies to this request
  GH_CEDAR_ERRORED = 2,
};

typedef struct gh_cedar_decision {
  uint8_t permit;         // what the enforced policies say; 0 after any error
  uint8_t* outcomes;      // caller's array of gh_cedar_policy_count bytes, one a policy
  gh_cedar_text errors;   // one a line, owned; data is null when there is none
} gh_cedar_decision;

typedef struct gh_cedar_problem_info {
  gh_cedar_text file;
  gh_cedar_text message;
  gh_cedar_text policy;     // id, or empty
  gh_cedar_text attribute;  // "context.hour", or empty
  gh_cedar_text hint;       // or empty
  uint32_t line;            // from 1; 0 where Cedar gives no place
  uint32_t column;          // from 1, in characters
  uint8_t is_warning;
} gh_cedar_problem_info;

typedef struct gh_cedar_policy_info {
  gh_cedar_text id;
  gh_cedar_text file;
  uint32_t line;
  uint32_t annotation_count;
  uint8_t is_forbid;
  uint8_t is_apart;  // @shadow or @rollout: its outcome is told, it decides nothing
} gh_cedar_policy_info;

typedef struct gh_cedar_annotation_info {
  gh_cedar_text key;
  gh_cedar_text value;
  uint32_t line;
  uint32_t column;
} gh_cedar_annotation_info;

typedef struct gh_cedar_set gh_cedar_set;

uint32_t gh_cedar_abi_version(void);

// Parses and validates (strict). On GH_CEDAR_OK *out is a set, possibly one with problems: a set
// with a problem that is no warning answers every request with GH_CEDAR_INVALID.
int gh_cedar_load(gh_cedar_text name_space, const gh_cedar_file* schema,
                  const gh_cedar_file* policies, size_t policy_files, gh_cedar_set** out);
void gh_cedar_free(gh_cedar_set* set);

size_t gh_cedar_problem_count(const gh_cedar_set* set);
int gh_cedar_problem(const gh_cedar_set* set, size_t index, gh_cedar_problem_info* out);

// Policies are numbered by file, then by place in the file.
size_t gh_cedar_policy_count(const gh_cedar_set* set);
int gh_cedar_policy(const gh_cedar_set* set, size_t index, gh_cedar_policy_info* out);
int gh_cedar_annotation(const gh_cedar_set* set, size_t policy, size_t index,
                        gh_cedar_annotation_info* out);

// GH_CEDAR_OK: decided, perhaps with errors of single policies (then permit is 0).
// Otherwise the request could not be evaluated; permit is 0 and errors says why.
int gh_cedar_decide(const gh_cedar_set* set, const gh_cedar_request* request,
                    gh_cedar_decision* decision);
void gh_cedar_text_free(gh_cedar_text text);

// ---- the general door ------------------------------------------------------------------------
// Any schema, any entities, requests of any type, in Cedar's own JSON: for tests whose schema is not
// ours. Parses at each call; nothing on the walk of a request uses it.

typedef struct gh_cedar_general gh_cedar_general;

typedef struct gh_cedar_general_decision {
  uint8_t permit;         // as Cedar says it: here an error of a policy is no deny
  gh_cedar_text reasons;  // ids of determining policies, sorted, one a line; owned
  gh_cedar_text errors;   // ids of policies that could not be evaluated; owned
  gh_cedar_text problem;  // why the request could not be evaluated; owned, data null otherwise
} gh_cedar_general_decision;

// GH_CEDAR_INVALID: one of them does not parse; *problem says which (owned).
int gh_cedar_general_load(gh_cedar_text schema, gh_cedar_text policies, gh_cedar_text entities_json,
                          gh_cedar_general** out, gh_cedar_text* problem);
void gh_cedar_general_free(gh_cedar_general* general);
// Whether the policies are valid by the schema (strict).
uint8_t gh_cedar_general_is_valid(const gh_cedar_general* general);
// Types with their namespace. `check_request`: that it fits the schema, too.
int gh_cedar_general_decide(const gh_cedar_general* general, gh_cedar_uid principal,
                            gh_cedar_uid action, gh_cedar_uid resource, gh_cedar_text context_json,
                            uint8_t check_request, gh_cedar_general_decision* decision);

#ifdef __cplusplus
}
#endif
