"use strict";
/* Which features answer a question, and how well. Every word of the question must be found in a feature, as written or
   with one slip (a letter wrong, missing, added or swapped); ids and versions only as written. uFuzzy looks for slips in
   the texts as they are, so that nothing need be indexed before the first answer; it wants the first letter right, which
   is looked for only where nothing else answers. */
window.Matching = (() => {
  const SLIP = 0.4; // what a word with a slip is worth beside one as written
  const WHOLE = 1.5; // what a whole word in a title is worth beside the beginning of one
  const PHRASE = 4; // the question as it stands, in a title
  const SHORTEST = 4; // letters of a word that may have a slip
  const WORDS = /#?v?\d+(?:[.\d]*\d)?(?![\p{L}\d])|[\p{L}\d']+/gu;
  const LETTER = /[\p{L}\d]/u;
  const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u; // no blanks between words
  // Expressions for plain letters alone are three times as fast; other alphabets get their own.
  const latin = new uFuzzy({ intraMode: 1, interLft: 1 });
  const anyAlphabet = new uFuzzy({
    unicode: true,
    interSplit: "[^\\p{L}\\d']+",
    intraSplit: "\\p{Ll}\\p{Lu}",
    intraBound: "\\p{L}\\d|\\d\\p{L}|\\p{Ll}\\p{Lu}",
    intraChars: "[\\p{L}\\d']",
    intraContr: "'\\p{L}{1,2}\\b",
    intraMode: 1,
    interLft: 1,
  });

  /* A text as it is searched: small letters without their accents, so that "cafe" finds "Café". */
  function fold(text) {
    return (/^[\x00-\x7f]*$/.test(text) ? text : text.normalize("NFKD").replace(/\p{M}/gu, "")).toLowerCase();
  }

  function splitQuestion(question) {
    const written = (fold(question).match(WORDS) || []).map((word) => word.replace(/^#/, "").replace(/^v(?=\d)/, ""));
    return [...new Set(written)].map((text) => {
      const slips = text.length >= SHORTEST && !/\d/.test(text);
      return { text, number: /^\d/.test(text), anywhere: UNSPACED.test(text), fuzzy: slips && (/^[a-z']+$/.test(text) ? latin : anyAlphabet) };
    });
  }

  /* Whether a word of the text begins as `word` does; a number must not begin inside a longer one, "v" aside. */
  function begins(text, { text: wanted, number, anywhere }) {
    if (anywhere) return text.includes(wanted);
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      if (at === 0) return true;
      const before = text.charCodeAt(at - 1);
      if (number && (before === 118 /* v */ || before === 46 /* . */)) {
        if (before === 118 && (at === 1 || !isLetter(text.charCodeAt(at - 2)))) return true;
      } else if (!isLetter(before)) return true;
    }
    return false;
  }

  /* Whether a word of the text begins as `word` does but for its first letter: another one, one too many, or missing. */
  function beginsAside(text, { text: wanted }) {
    const rest = wanted.slice(1);
    for (let at = text.indexOf(rest); at >= 0; at = text.indexOf(rest, at + 1)) {
      const second = at > 0 && isLetter(text.charCodeAt(at - 1));
      if (!second) return true;
      if (at === 1 || !isLetter(text.charCodeAt(at - 2))) return true;
      // The word as it was typed, behind a letter that it lacks.
      if (text.charCodeAt(at - 1) === wanted.charCodeAt(0) && (at === 2 || !isLetter(text.charCodeAt(at - 3)))) return true;
    }
    return false;
  }

  function isLetter(code) {
    if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
    return LETTER.test(String.fromCharCode(code));
  }

  /* `fields` are [worth, folded texts], titles first; returns the rows that answer, and every row's score. */
  function search(fields, question) {
    const words = splitQuestion(question);
    const scores = new Float32Array(fields[0][1].length);
    let rows = Array.from(scores.keys());
    for (const word of words) {
      const best = new Float32Array(scores.length);
      for (const [worth, texts] of fields) {
        for (const row of rows) {
          if (best[row] < worth && begins(texts[row], word)) best[row] = worth;
        }
        if (!word.fuzzy) continue;
        const unsure = rows.filter((row) => best[row] < worth * SLIP);
        for (const row of word.fuzzy.filter(texts, word.text, unsure) || []) best[row] = worth * SLIP;
      }
      if (word.fuzzy && !rows.some((row) => best[row] > 0)) {
        word.aside = true;
        for (const [worth, texts] of fields) {
          for (const row of rows) {
            if (best[row] < worth * SLIP && beginsAside(texts[row], word)) best[row] = worth * SLIP;
          }
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
    const sources = words.map((word) => `(?<![\\p{L}\\d])${word.text.replace(/[.]/g, "\\.")}`);
    const whole = sources.map((source) => new RegExp(`${source}(?![\\p{L}\\d])`, "u"));
    const phrase = new RegExp(sources.join("[^\\p{L}\\d]+"), "u");
    for (const row of rows) {
      words.forEach((word, number) => {
        if (titles[row].includes(word.text) && whole[number].test(titles[row])) scores[row] += WHOLE;
      });
      if (words.length > 1 && titles[row].includes(words[0].text) && phrase.test(titles[row])) scores[row] += PHRASE;
    }
  }

  const cut = (text) => text.split(/([\p{L}\d'.]*[\p{L}\d])/u);

  /* Returns those words of some texts that answer a question; asked once for a whole list, since words come again. */
  function findAnswers(texts, words) {
    const parts = words.length ? [...new Set(texts.flatMap(cut))] : [];
    const folded = parts.map(fold);
    const found = new Set();
    for (const word of words) {
      folded.forEach((text, number) => begins(text, word) && found.add(parts[number]));
      if (!word.fuzzy) continue;
      for (const number of word.fuzzy.filter(folded, word.text) || []) found.add(parts[number]);
      if (word.aside) folded.forEach((text, number) => beginsAside(text, word) && found.add(parts[number]));
    }
    return found;
  }

  /* The text as nodes, with the words in `answers` marked. */
  function mark(text, answers) {
    const nodes = document.createDocumentFragment();
    for (const part of answers.size ? cut(text) : [text]) {
      nodes.append(answers.has(part) ? Object.assign(document.createElement("mark"), { textContent: part }) : part);
    }
    return nodes;
  }

  return { fold, search, findAnswers, mark };
})();
