// Sixteen bytes at a time, where the processor has SSE2: comparisons that give 0xff or 0 for each.
#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>

namespace gatehouse::inspect {

using Bytes = __m128i;

inline Bytes load(const char* at) {
  return _mm_loadu_si128(reinterpret_cast<const Bytes*>(at));
}
inline Bytes equal(Bytes a, Bytes b) {
  return _mm_cmpeq_epi8(a, b);
}
inline Bytes equal(Bytes a, char b) {
  return _mm_cmpeq_epi8(a, _mm_set1_epi8(b));
}
inline Bytes all(Bytes a, Bytes b) {
  return _mm_and_si128(a, b);
}
template <class... More>
Bytes all(Bytes a, Bytes b, More... more) {
  return all(all(a, b), more...);
}
inline Bytes any(Bytes a, Bytes b) {
  return _mm_or_si128(a, b);
}
template <class... More>
Bytes any(Bytes a, Bytes b, More... more) {
  return any(any(a, b), more...);
}
inline Bytes between(Bytes a, char low, char high) {
  return all(_mm_cmpgt_epi8(a, _mm_set1_epi8(static_cast<char>(low - 1))),
             _mm_cmplt_epi8(a, _mm_set1_epi8(static_cast<char>(high + 1))));
}
// Letters become small ones; what else changes is no letter before or behind.
inline Bytes folded(Bytes a) {
  return any(a, _mm_set1_epi8(0x20));
}
// A bit for each byte.
inline unsigned bits(Bytes a) {
  return static_cast<unsigned>(_mm_movemask_epi8(a));
}

}  // namespace gatehouse::inspect
#endif
