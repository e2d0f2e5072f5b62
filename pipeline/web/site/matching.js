"use strict";
/* Which features answer a question, and how well. Every word of the question must be found in a feature, as written or
   with one slip (a letter wrong, missing, added or swapped); ids and versions only as written. uFuzzy looks for slips in
   the texts as they are, so that nothing need be indexed before the first answer. */
window.Matching = (() => {
  const SLIP = 0.4; // what a word with a slip is worth beside one as written
  const WHOLE = 1.5; // what a whole word is worth beside the beginning of one
  const PHRASE = 4; // the question as it stands, in a title
  const WORDS = /#?v?\d+(?:[.\d]*\d)?(?![\p{L}\d])|[\p{L}\d']+/gu;
  const fuzzy = new uFuzzy({
    unicode: true,
    interSplit: "[^\\p{L}\\d']+",
    intraSplit: "\\p{Ll}\\p{Lu}",
    intraBound: "\\p{L}\\d|\\d\\p{L}|\\p{Ll}\\p{Lu}",
    intraChars: "[\\p{L}\\d']",
    intraContr: "'\\p{L}{1,2}\\b",
    intraMode: 1,
    interLft: 1,
  });

  /* Letters without their accents, so that "cafe" finds "Café". */
  const plain = (text) =>
    /^[\x00-\x7f]*$/.test(text) ? text : text.normalize("NFKD").replace(/\p{M}/gu, "");

  function splitQuestion(question) {
    const words = plain(question).toLowerCase().match(WORDS) || [];
    return [...new Set(words.map((word) => word.replace(/^#/, "")))].map((text) => ({
      text,
      // "v2.204" is what "2.204" means too, and a number must not be found in the middle of a longer one.
      literal: /^v?\d/.test(text)
        ? new RegExp(`(?<![\\d.])v?${escape(text.replace(/^v(?=\d)/, ""))}`, "i")
        : new RegExp(`${/^\w/.test(text) ? "\\b" : "(?<![\\p{L}\\d])"}${escape(text)}`, "iu"),
      slips: text.length >= 4 && !/\d/.test(text),
    }));
  }

  const escape = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

  /* `fields` are [worth, texts]; returns the rows that answer, each with its score. */
  function search(fields, question) {
    const words = splitQuestion(question);
    const size = fields[0][1].length;
    let rows = Array.from({ length: size }, (_, row) => row);
    const scores = new Float32Array(size);
    for (const word of words) {
      const best = new Float32Array(size);
      for (const [worth, texts] of fields) {
        for (const row of rows) {
          if (best[row] < worth && word.literal.test(texts[row])) best[row] = worth;
        }
        if (!word.slips) continue;
        for (const row of fuzzy.filter(texts, word.text, rows) || []) {
          best[row] = Math.max(best[row], worth * SLIP);
        }
      }
      rows = rows.filter((row) => best[row] > 0);
      for (const row of rows) scores[row] += best[row];
    }
    reward(rows, scores, fields[0][1], words);
    return { rows, scores, words };
  }

  /* Titles that hold whole words, or the whole question, come before those that hold the beginnings of them. */
  function reward(rows, scores, titles, words) {
    if (!words.length) return;
    const whole = words.map((word) => new RegExp(`${word.literal.source}(?![\\p{L}\\d])`, "iu"));
    const phrase = new RegExp(words.map((word) => word.literal.source).join("[^\\p{L}\\d]+"), "iu");
    for (const row of rows) {
      for (const one of whole) if (one.test(titles[row])) scores[row] += WHOLE;
      if (words.length > 1 && phrase.test(titles[row])) scores[row] += PHRASE;
    }
  }

  /* The text as nodes, with the words of the question marked. */
  function mark(text, words) {
    const nodes = document.createDocumentFragment();
    for (const part of words.length ? text.split(/([\p{L}\d'.]*[\p{L}\d])/u) : [text]) {
      if (part && words.some((word) => answers(part, word))) {
        nodes.append(Object.assign(document.createElement("mark"), { textContent: part }));
      } else {
        nodes.append(part);
      }
    }
    return nodes;
  }

  const answers = (part, word) =>
    word.literal.test(plain(part)) || (word.slips && part.length > 2 && (fuzzy.filter([plain(part)], word.text) || []).length > 0);

  return { plain, search, mark };
})();
