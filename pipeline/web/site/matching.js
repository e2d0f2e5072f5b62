"use strict";
/* Finds the features that match a query, and scores them. Every word of the query must match in a feature: as written, or
   with one edit (a letter wrong, missing, added or swapped); ids and versions only as written. uFuzzy looks for edits in
   the texts as they are, so that no index has to be built before the first result. It needs the first letter right;
   words with an edit there are looked for only where nothing else matches. */
window.Matching = (() => {
  const EDITED = 0.4; // score of a word with an edit, where a word as written has 1
  const WHOLE_WORD = 1.5; // added to the score of a word that stands whole in a title, not only as a beginning
  const PHRASE = 4; // added to the score of a title that holds the words of the query side by side
  const SHORTEST_EDITED = 4; // letters of a query word that may have an edit
  const QUERY_WORDS = /#?v?\d+(?:[.\d]*\d)?(?![\p{L}\d])|[\p{L}\d']+(?:\+\+|#)?/gu; // C++ and C# are words
  const LETTER = /[\p{L}\d]/u;
  const UNSPACED = /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u; // scripts without blanks between words
  const [CODE_V, CODE_DOT] = [118, 46]; // the character codes of "v" and "."
  // Expressions for ASCII letters alone are three times as fast; other alphabets get their own.
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

  const LETTERS = { ß: "ss", æ: "ae", œ: "oe", ø: "o", ł: "l", đ: "d", ı: "i" }; // letters that Unicode does not decompose

  /* Returns a text as it is searched: in lower case and without accents, so that "cafe" matches "Café". */
  function fold(text) {
    if (/^[\x00-\x7f]*$/.test(text)) return text.toLowerCase();
    const plain = text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
    return plain.replace(/[ßæœøłđı]/g, (letter) => LETTERS[letter]);
  }

  /* Returns the distinct words of a query; `fuzzy` is what finds them with an edit, or false. */
  function splitQuery(query) {
    const written = (fold(query).match(QUERY_WORDS) || []).map((word) => word.replace(/^#/, "").replace(/^v(?=\d)/, ""));
    return [...new Set(written)].map((text) => {
      const mayHaveEdit = text.length >= SHORTEST_EDITED && !/\d/.test(text);
      return { text, isNumber: /^\d/.test(text), isUnspaced: UNSPACED.test(text), fuzzy: mayHaveEdit && (/^[a-z']+$/.test(text) ? latin : anyAlphabet) };
    });
  }

  /* Whether a word of the text begins with the query word. A number must not begin inside a longer one; a "v" before it
     is no part of it. */
  function hasPrefix(text, { text: wanted, isNumber, isUnspaced }) {
    if (isUnspaced) return text.includes(wanted);
    for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + 1)) {
      if (at === 0) return true;
      const before = text.charCodeAt(at - 1);
      if (isNumber && (before === CODE_V || before === CODE_DOT)) {
        if (before === CODE_V && (at === 1 || !isLetter(text.charCodeAt(at - 2)))) return true;
      } else if (!isLetter(before)) return true;
    }
    return false;
  }

  /* Whether a word of the text begins with the query word but for its first letter: a wrong one, one too many, or none. */
  function hasPrefixWithFirstEdit(text, { text: wanted }) {
    const rest = wanted.slice(1);
    for (let at = text.indexOf(rest); at >= 0; at = text.indexOf(rest, at + 1)) {
      if (at === 0 || !isLetter(text.charCodeAt(at - 1))) return true;
      if (at === 1 || !isLetter(text.charCodeAt(at - 2))) return true;
      // The query word as typed, behind a letter that it lacks.
      if (text.charCodeAt(at - 1) === wanted.charCodeAt(0) && (at === 2 || !isLetter(text.charCodeAt(at - 3)))) return true;
    }
    return false;
  }

  function isLetter(code) {
    if (code < 128) return (code >= 97 && code <= 122) || (code >= 48 && code <= 57) || (code >= 65 && code <= 90);
    return LETTER.test(String.fromCharCode(code));
  }

  /* `fields` are { weight, texts }, the texts folded, titles first. Returns the rows that match, every row's score, and
     the words of the query. */
  function search(fields, query) {
    const words = splitQuery(query);
    const scores = new Float32Array(fields[0].texts.length);
    let rows = Array.from(scores.keys());
    for (const word of words) {
      const best = scoreWord(fields, word, rows);
      rows = rows.filter((row) => best[row] > 0);
      for (const row of rows) scores[row] += best[row];
    }
    addTitleScores(rows, scores, fields[0].texts, words);
    return { rows, scores, words };
  }

  /* Returns the best score of a query word in each row; notes in `word.firstEdit` whether its first letter was edited. */
  function scoreWord(fields, word, rows) {
    const best = new Float32Array(fields[0].texts.length);
    for (const { weight, texts } of fields) {
      for (const row of rows) {
        if (best[row] < weight && hasPrefix(texts[row], word)) best[row] = weight;
      }
      if (!word.fuzzy) continue;
      const open = rows.filter((row) => best[row] < weight * EDITED);
      for (const row of word.fuzzy.filter(texts, word.text, open) || []) best[row] = weight * EDITED;
    }
    word.firstEdit = Boolean(word.fuzzy) && !rows.some((row) => best[row] > 0);
    for (const { weight, texts } of word.firstEdit ? fields : []) {
      for (const row of rows) {
        if (best[row] < weight * EDITED && hasPrefixWithFirstEdit(texts[row], word)) best[row] = weight * EDITED;
      }
    }
    return best;
  }

  /* Raises the scores of titles that hold whole words of the query, or all of them side by side. */
  function addTitleScores(rows, scores, titles, words) {
    if (!words.length) return;
    const sources = words.map((word) => `(?<![\\p{L}\\d])${word.text.replace(/[.+]/g, "\\$&")}`);
    const whole = sources.map((source) => new RegExp(`${source}(?![\\p{L}\\d])`, "u"));
    const phrase = new RegExp(sources.join("[^\\p{L}\\d]+"), "u");
    for (const row of rows) {
      words.forEach((word, number) => {
        if (titles[row].includes(word.text) && whole[number].test(titles[row])) scores[row] += WHOLE_WORD;
      });
      if (words.length > 1 && titles[row].includes(words[0].text) && phrase.test(titles[row])) scores[row] += PHRASE;
    }
  }

  /* Splits a text into words and what stands between them. */
  const split = (text) => text.split(/([\p{L}\d'.]*[\p{L}\d](?:\+\+|#)?)/u);

  /* Returns the words of some texts that match words of a query: of a whole list at once, since words recur in it. */
  function findMatchingWords(texts, words) {
    const parts = words.length ? [...new Set(texts.flatMap(split))] : [];
    const folded = parts.map(fold);
    const matching = new Set();
    for (const word of words) {
      folded.forEach((text, number) => hasPrefix(text, word) && matching.add(parts[number]));
      if (!word.fuzzy) continue;
      for (const number of word.fuzzy.filter(folded, word.text) || []) matching.add(parts[number]);
      if (word.firstEdit) folded.forEach((text, number) => hasPrefixWithFirstEdit(text, word) && matching.add(parts[number]));
    }
    return matching;
  }

  /* Returns a text as nodes, with the words in `matching` marked. */
  function mark(text, matching) {
    const nodes = document.createDocumentFragment();
    for (const part of matching.size ? split(text) : [text]) {
      nodes.append(matching.has(part) ? Object.assign(document.createElement("mark"), { textContent: part }) : part);
    }
    return nodes;
  }

  return { fold, search, findMatchingWords, mark };
})();
