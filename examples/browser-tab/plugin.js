// The plugin: what a page can do that a server cannot do without a browser.

/** Pixels that an image made here has at most, so that no call fills the memory of the tab. */
const PIXELS = 64 * 1024 * 1024;
/** Types that a canvas writes. */
const TYPES = ["image/png", "image/jpeg", "image/webp"];

/** An error that is the plugin's answer. */
function failure(code, message) {
  return Object.assign(new Error(message), { code });
}

function canvas(width, height) {
  if (!(width >= 1 && height >= 1 && width * height <= PIXELS)) {
    throw failure("invalid_size", `an image of ${width} × ${height} cannot be made; it may have ${PIXELS} pixels`);
  }
  return new OffscreenCanvas(Math.round(width), Math.round(height));
}

async function encoded(surface, type = "image/png", quality = undefined) {
  if (!TYPES.includes(type)) {
    throw failure("invalid_type", `${type} cannot be written; ${TYPES.join(", ")} can`);
  }
  const blob = await surface.convertToBlob({ type, quality });
  if (blob.type !== type) {
    throw failure("invalid_type", `this browser does not write ${type}`);
  }
  return new Uint8Array(await blob.arrayBuffer());
}

function bytesOf(base64) {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    throw failure("invalid_image", "`image` is not base64");
  }
}

/** The lines of a text that is not to be wider than so many pixels. */
function wrapped(pen, text, most) {
  return text.split("\n").flatMap((paragraph) => {
    const lines = [];
    let line = "";
    for (const word of paragraph.split(" ")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (line !== "" && pen.measureText(longer).width > most) {
        lines.push(line);
        line = word;
      } else {
        line = longer;
      }
    }
    return [...lines, line];
  });
}

/** `made(bytes, type)` is shown every image. */
export function plugin(made = () => {}) {
  const show = (bytes, type) => (made(bytes, type), bytes);
  return {
    info: { description: "A browser's canvas, fonts and image codecs" },

    actions: {
      measure: {
        description: "{text, font?, width?}: how many pixels a text takes, and its lines where it may be so wide",
        idempotent: true,
        run({ text, font = "16px sans-serif", width }) {
          const pen = canvas(1, 1).getContext("2d");
          pen.font = font;
          const { actualBoundingBoxAscent: ascent, actualBoundingBoxDescent: descent } = pen.measureText(text);
          const lines = width === undefined ? [text] : wrapped(pen, text, width);
          return { font: pen.font, width: Math.max(...lines.map((line) => pen.measureText(line).width)), ascent, descent, lines };
        },
      },

      convert: {
        description: "{image, type?, width?, quality?}: an image (base64) as another type, narrowed to a width; answers its bytes",
        idempotent: true,
        async run({ image, type = "image/png", width, quality }) {
          const decoding = createImageBitmap(new Blob([bytesOf(image)]));
          const bitmap = await decoding.catch(() => {
            throw failure("invalid_image", "the browser cannot read this image");
          });
          const scale = width === undefined ? 1 : Math.min(1, width / bitmap.width);
          const surface = canvas(Math.max(1, bitmap.width * scale), Math.max(1, bitmap.height * scale));
          surface.getContext("2d").drawImage(bitmap, 0, 0, surface.width, surface.height);
          bitmap.close();
          return show(await encoded(surface, type, quality), type);
        },
      },

      card: {
        description: "{title, text?, width?, height?, type?}: a picture with a title and a text; answers its bytes",
        idempotent: true,
        async run({ title, text = "", width = 640, height = 320, type = "image/png" }) {
          const surface = canvas(width, height);
          const pen = surface.getContext("2d");
          pen.fillStyle = "#10243e";
          pen.fillRect(0, 0, width, height);
          pen.fillStyle = "#ffffff";
          pen.font = "bold 36px sans-serif";
          pen.fillText(title, 32, 64, width - 64);
          pen.font = "20px sans-serif";
          wrapped(pen, text, width - 64).forEach((line, number) => pen.fillText(line, 32, 112 + 28 * number));
          return show(await encoded(surface, type), type);
        },
      },
    },
  };
}
