// Echoes frames, a length of four bytes and so many more, on its standard input, which is a socket. No more than any peer on
// Node has to do: the event loop reads, so that timers and other sockets would run as well.
import fs from "node:fs";
import net from "node:net";

const buffer = Buffer.allocUnsafeSlow(65536);
let have = Buffer.alloc(0);

function callback(count) {
  have = have.length === 0 ? buffer.subarray(0, count) : Buffer.concat([have, buffer.subarray(0, count)]);
  if (have.length < 4 || have.length < 4 + have.readUInt32LE(0)) {
    have = Buffer.from(have);
    return true;
  }
  fs.writeSync(0, have);
  have = have.subarray(have.length);
  return true;
}

new net.Socket({ fd: 0, readable: true, writable: true, onread: { buffer, callback } }).resume();
