// Element names in the reader's language: `zeebe:property name="name.en"` beside the drawn name.

function property(element, name) {
  const extensions = element.extensionElements?.values || [];
  for (const extension of extensions) {
    if (extension.$type !== "zeebe:Properties") continue;
    for (const pair of extension.properties || []) {
      if (pair.name === name && pair.value) return pair.value;
    }
  }
  return undefined;
}

/** Replaces the names of all elements that have one in this language. */
export function translateNames(elements, language) {
  for (const element of elements) {
    const name = property(element, `name.${language}`);
    if (name) element.name = name;
  }
}
