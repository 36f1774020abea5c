// Values as `console` writes them.

const DEPTH = 4;
const ITEMS = 100;

/** Arguments of `console.log` as one line; `%s`, `%d`, `%i`, `%f`, `%j`, `%o` and `%O` in the first one are filled in. */
export function print(args) {
  const rest = [...args];
  const texts = [];
  if (typeof rest[0] === "string" && rest.length > 1) {
    texts.push(rest.shift().replace(/%([sdifjoO%])/g, (whole, kind) => {
      if (kind === "%") {
        return "%";
      }
      return rest.length === 0 ? whole : filled(kind, rest.shift());
    }));
  }
  return [...texts, ...rest.map((value) => (typeof value === "string" ? value : shown(value, 0, [])))].join(" ");
}

function filled(kind, value) {
  switch (kind) {
    case "s":
      return typeof value === "string" ? value : shown(value, 0, []);
    case "d":
      return String(Number(value));
    case "i":
      return String(Math.trunc(Number(value)));
    case "f":
      return String(parseFloat(value));
    default:
      return shown(value, 0, []);
  }
}

function shown(value, depth, above) {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return `${value}n`;
    case "symbol":
      return value.toString();
    case "function":
      return `[function ${value.name || "(anonymous)"}]`;
    case "object":
      break;
    default:
      return String(value);
  }
  if (value === null) {
    return "null";
  }
  if (above.includes(value)) {
    return "[circular]";
  }
  try {
    return object(value, depth, [...above, value]);
  } catch {
    return "[something that cannot be shown]";
  }
}

function object(value, depth, above) {
  if (value instanceof Error) {
    const stack = String(value.stack ?? "").trimEnd();
    const cause = value.cause === undefined ? "" : `\ncaused by ${shown(value.cause, depth + 1, above)}`;
    return `${value}${stack && `\n${stack}`}${cause}`;
  }
  if (value instanceof Date || value instanceof RegExp) {
    return String(value);
  }
  if (value instanceof Promise) {
    return "[promise]";
  }
  if (depth >= DEPTH) {
    return Array.isArray(value) ? "[…]" : "{…}";
  }
  const inner = (item) => shown(item, depth + 1, above);
  const list = (items, name) => `${name}[${cut(items).map(inner).join(", ")}${items.length > ITEMS ? ", …" : ""}]`;
  if (Array.isArray(value)) {
    return list(value, "");
  }
  if (ArrayBuffer.isView(value)) {
    return list(Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength).subarray(0, ITEMS + 1)), `${value.constructor.name} `);
  }
  if (value instanceof Set) {
    return list([...value], "Set ");
  }
  if (value instanceof Map) {
    return `Map {${cut([...value]).map(([key, item]) => `${inner(key)} => ${inner(item)}`).join(", ")}}`;
  }
  const name = value.constructor?.name;
  const fields = cut(Object.keys(value)).map((key) => `${/^[\w$]+$/.test(key) ? key : JSON.stringify(key)}: ${inner(value[key])}`);
  return `${name === undefined || name === "Object" ? "" : `${name} `}{${fields.length === 0 ? "" : ` ${fields.join(", ")} `}}`;
}

function cut(items) {
  return items.slice(0, ITEMS);
}
