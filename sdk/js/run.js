// The program that runs a plugin in a process of its own. The host starts it: `node run.js`, with its end of the wire on
// the descriptor in MIDPLANE_FD. It learns what to run over the wire.

import { redirect } from "./src/console.js";
import { Peer } from "./src/peer.js";
import { Connection } from "./src/wire/connection.js";
import { Decoder } from "./src/wire/decoder.js";
import { Breach } from "./src/wire/frame.js";
import { Wire } from "./src/wire/socket.js";
import { version } from "./index.js";

const fd = Number(process.env.MIDPLANE_FD);
if (!(Number.isInteger(fd) && fd > 2)) {
  console.error("this program is started by a Midplane host, which sets MIDPLANE_FD; see contract/wire.md");
  process.exit(2);
}

const peer = new Peer();
const decoder = new Decoder((frame) => connection.frame(frame));
const wire = new Wire(fd, receive, () => process.exit(0));
const connection = new Connection(wire, peer);
peer.connection = connection;
connection.greet(`midplane-js ${version}`);
redirect((level, message) => peer.tell(level, message));
process.on("unhandledRejection", (why) => console.warn("nobody handled a rejection:", why));

/** What breaks the protocol ends the process, and the host is told why. */
function receive(bytes) {
  try {
    decoder.feed(bytes);
  } catch (why) {
    if (why instanceof Breach) {
      connection.breach(why.message);
    }
    // `console` would use the wire, which is what failed.
    process.stderr.write(`${why instanceof Breach ? why.message : why.stack}\n`);
    process.exit(1);
  }
}
