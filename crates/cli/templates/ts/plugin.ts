import type { Context } from "midplane";

type Guest = { name: string };

export default {
  greet(input: Guest | undefined, _ctx: Context) {
    if (typeof input?.name !== "string") {
      throw { code: "invalid_input", message: "the name is missing" };
    }
    return { hello: input.name };
  },
};
