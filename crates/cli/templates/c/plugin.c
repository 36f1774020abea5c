#include "midplane_plugin.h"

/* The JSON string behind "name", with its quotes; its length, or 0. Take a JSON library when there is more to read. */
static size_t name_in(const char *text, size_t len, const char **name) {
  size_t at = 0, end;
  while (at + 6 <= len && memcmp(text + at, "\"name\"", 6) != 0) at++;
  for (at += 6; at < len && strchr(" \t\r\n:", text[at]) != NULL && text[at] != '\0'; at++) {}
  if (at >= len || text[at] != '"') return 0;
  for (end = at + 1; end < len && text[end] != '"'; end++) end += text[end] == '\\';
  *name = text + at;
  return end < len ? end + 1 - at : 0;
}

static midplane_status greet(void *self, const uint8_t *input, size_t len, midplane_call *call) {
  const char *name = NULL;
  size_t size = name_in((const char *)input, len, &name);
  (void)self;
  if (size == 0) return midplane_fail(call, "invalid_input", "expected {\"name\": \"...\"}");
  midplane_reply_text(call, "{\"hello\":");
  midplane_reply(call, name, size);
  return midplane_reply_text(call, "}");
}

static const midplane_action actions[] = {{"greet", greet}};
MIDPLANE_PLUGIN("", "", actions)
