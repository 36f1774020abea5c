export default {
  greet(input) {
    if (typeof input?.name !== "string") {
      throw { code: "invalid_input", message: "the name is missing" };
    }
    return { hello: input.name };
  },
};
