// Randomness, from the host and through its gate.
export default (native) => {
  const MOST = 65536;

  function bytes(count) {
    const answer = native.ask(0, "random", JSON.stringify({ bytes: count }), undefined);
    if (typeof answer === "string") {
      const { code, message } = JSON.parse(answer);
      throw Object.assign(new Error(message), { code });
    }
    return answer;
  }

  const crypto = {
    getRandomValues(array) {
      if (!ArrayBuffer.isView(array) || array instanceof DataView || array instanceof Float32Array || array instanceof Float64Array) {
        throw new TypeError("an array of integers is needed");
      }
      if (array.byteLength > MOST) {
        throw new DOMException(`at most ${MOST} bytes at once`, "QuotaExceededError");
      }
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(bytes(array.byteLength));
      return array;
    },

    randomUUID() {
      const random = bytes(16);
      random[6] = (random[6] & 0x0f) | 0x40;
      random[8] = (random[8] & 0x3f) | 0x80;
      const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
    },
  };
  return { crypto };
};
