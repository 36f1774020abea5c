// The same for engines whose hooks live in a thread of their own (Node before 22.15).

let here = {};

export function initialize(data) {
  here = data;
}

export async function resolve(specifier, context, next) {
  if (!Object.hasOwn(here, specifier)) {
    return next(specifier, context);
  }
  try {
    return await next(specifier, context);
  } catch {
    return { url: here[specifier], format: "module", shortCircuit: true };
  }
}
