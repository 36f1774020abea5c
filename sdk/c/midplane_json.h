/*
 * midplane_json.h - what a plugin in C needs of JSON: the members of an object, and texts. Part of midplane_api.h.
 */
#ifndef MIDPLANE_JSON_H
#define MIDPLANE_JSON_H

#include "midplane_plugin.h"

/* A piece of JSON: not copied, not terminated. `text` is NULL where there is none. */
typedef struct midplane_json {
  const char *text;
  size_t len;
} midplane_json;

/* Where the white space from `at` on ends. */
static inline const char *midplane_json_space(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) {
    at++;
  }
  return at;
}

/* Where the value that begins at `at` ends; NULL where it does not. What is inside is not checked. */
static inline const char *midplane_json_skip(const char *at, const char *end) {
  size_t depth = 0;
  const char *begin = at;
  while (at < end) {
    char byte = *at;
    if (byte == '"') {
      for (at++; at < end && *at != '"'; at++) {
        at += *at == '\\';
      }
      if (at >= end) {
        return NULL;
      }
      at++;
    } else if (byte == '{' || byte == '[') {
      depth++;
      at++;
    } else if (byte == '}' || byte == ']') {
      if (depth == 0) {
        break;
      }
      depth--;
      at++;
    } else if (depth == 0 && (byte == ',' || byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r')) {
      break;
    } else {
      at++;
      continue;
    }
    if (depth == 0) {
      return at;
    }
  }
  return depth == 0 && at > begin ? at : NULL;
}

/* A member of an object, by a name without escapes; none where the text is no object, or has no such member. */
static inline midplane_json midplane_json_member(const void *object, size_t len, const char *name) {
  const char *at = (const char *)object, *end = at + len;
  size_t size = strlen(name);
  midplane_json none = {NULL, 0};
  at = midplane_json_space(at, end);
  if (at >= end || *at != '{') {
    return none;
  }
  for (at++;;) {
    const char *key = midplane_json_space(at, end), *value, *after;
    const char *over = key < end && *key == '"' ? midplane_json_skip(key, end) : NULL;
    if (over == NULL) {
      return none;
    }
    value = midplane_json_space(over, end);
    if (value >= end || *value != ':') {
      return none;
    }
    value = midplane_json_space(value + 1, end);
    after = midplane_json_skip(value, end);
    if (after == NULL) {
      return none;
    }
    if ((size_t)(over - key) == size + 2 && memcmp(key + 1, name, size) == 0) {
      midplane_json found;
      found.text = value;
      found.len = (size_t)(after - value);
      return found;
    }
    at = midplane_json_space(after, end);
    if (at >= end || *at != ',') {
      return none;
    }
    at++;
  }
}

/* Whether it is this word: true, false, null. */
static inline int midplane_json_is(midplane_json json, const char *word) {
  return json.text != NULL && json.len == strlen(word) && memcmp(json.text, word, json.len) == 0;
}

/* Appends a code point as UTF-8. */
static inline void midplane_json_point(midplane_buffer *out, unsigned long point) {
  unsigned char bytes[4];
  size_t len = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4, i;
  static const unsigned char heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (i = len - 1; i > 0; i--) {
    bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
    point >>= 6;
  }
  bytes[0] = (unsigned char)(heads[len] | point);
  midplane_buffer_add(out, bytes, len);
}

/* The four digits after \u, or -1. */
static inline long midplane_json_digits(const char *at, const char *end) {
  long number = 0;
  int i;
  if (end - at < 4) {
    return -1;
  }
  for (i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef", *digit;
    char byte = at[i] >= 'A' && at[i] <= 'F' ? (char)(at[i] + 32) : at[i];
    digit = byte == '\0' ? NULL : strchr(digits, byte);
    if (digit == NULL) {
      return -1;
    }
    number = number * 16 + (long)(digit - digits);
  }
  return number;
}

/* Appends what a JSON string says, as UTF-8; half a surrogate pair is U+FFFD. 0 where it is no string. */
static inline int midplane_json_text(midplane_json json, midplane_buffer *out) {
  static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  const char *at = json.text, *end;
  if (at == NULL || json.len < 2 || *at != '"') {
    return 0;
  }
  end = at + json.len - 1;
  for (at++; at < end; at++) {
    const char *known;
    long point, low;
    if (*at != '\\') {
      midplane_buffer_add(out, at, 1);
      continue;
    }
    if (++at >= end) {
      return 0;
    }
    known = *at == '\0' ? NULL : strchr(escapes, *at);
    if (known != NULL) {
      midplane_buffer_add(out, &meant[known - escapes], 1);
      continue;
    }
    point = *at == 'u' ? midplane_json_digits(at + 1, end) : -1;
    if (point < 0) {
      return 0;
    }
    at += 4;
    if (point >= 0xd800 && point < 0xe000) {
      low = point < 0xdc00 && end - at > 6 && at[1] == '\\' && at[2] == 'u' ? midplane_json_digits(at + 3, end) : -1;
      if (low >= 0xdc00 && low < 0xe000) {
        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
        at += 6;
      } else {
        point = 0xfffd;
      }
    }
    midplane_json_point(out, (unsigned long)point);
  }
  return 1;
}

#endif
