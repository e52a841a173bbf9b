// Who is meant by "7, ada, Bob Stone": numbers are ids, names of acquaintances stand for them, the rest are logins.

/** {ids, logins} of a text with commas. `known` is [{id, name}]; a name that two of them have is no name. */
export function parsePeople(text, known) {
  const ids = [];
  const logins = [];
  for (const word of text.split(",").map((part) => part.trim()).filter(Boolean)) {
    const number = /^(?:.*\(?#)?(\d{1,15})\)?$/u.exec(word); // 7, #7, and "Ada (#7)" as the suggestions have it
    const named = known.filter((one) => one.name.toLowerCase() === word.toLowerCase());
    if (named.length === 1) ids.push(named[0].id);
    else if (number !== null) ids.push(Number(number[1]));
    else logins.push(word.toLowerCase());
  }
  return { ids: [...new Set(ids)], logins: [...new Set(logins)] };
}
