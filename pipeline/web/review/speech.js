/* The transcript beside the player: follows it, and gives the word at a place. Words are marked by ranges, so that the
   text stays plain text. */
export class Speech {
  constructor(place, paragraphs, { onPlay, onStart }) {
    this.place = place;
    this.blocks = paragraphs.filter((one) => one.words.length).map((one) => this.write(one));
    this.openings = this.blocks.map((block) => block.starts[0]);
    this.words = this.blocks.flatMap((block) => block.starts);
    this.sentences = this.blocks.flatMap(({ words, starts }) => starts.filter((_, n) => n === 0 || /[.?!…]["'”’)\]]*$/.test(words[n - 1])));
    place.addEventListener("click", (event) => this.answer(event, onPlay));
    place.addEventListener("dblclick", (event) => this.answer(event, onStart));
  }

  write({ words, starts }) {
    const element = document.createElement("p");
    element.textContent = words.join(" ");
    this.place.append(element);
    return { element, words, starts };
  }

  answer(event, act) {
    const place = document.caretPositionFromPoint?.(event.clientX, event.clientY);
    const block = this.blocks.find(({ element }) => element === place?.offsetNode.parentElement);
    if (block) act(block.starts[block.element.textContent.slice(0, place.offset).split(" ").length - 1]);
  }

  /* Mark the word at `seconds`; scroll to it where `reveal`. */
  mark(name, seconds, reveal) {
    const block = this.blocks[Math.max(0, lastBefore(this.openings, seconds))];
    if (!block) return;
    const number = Math.max(0, lastBefore(block.starts, seconds));
    const from = block.words.slice(0, number).join(" ").length + (number ? 1 : 0);
    const range = new Range();
    range.setStart(block.element.firstChild, from);
    range.setEnd(block.element.firstChild, from + block.words[number].length);
    if (window.Highlight) CSS.highlights.set(name, new Highlight(range));
    if (reveal) this.reveal(range);
  }

  /* Scroll the transcript alone, and only where the word is out of sight. */
  reveal(range) {
    const [word, frame] = [range.getBoundingClientRect(), this.place.getBoundingClientRect()];
    if (word.top < frame.top || word.bottom > frame.bottom) this.place.scrollTop += word.top - frame.top - frame.height / 3;
  }

  sentenceBefore(seconds) {
    return this.sentences[lastBefore(this.sentences, seconds - 0.06)];
  }

  sentenceAfter(seconds) {
    return this.sentences[lastBefore(this.sentences, seconds + 0.05) + 1];
  }
}

/* The number of the last of some rising numbers that is not above `value`; -1 where all are. */
export function lastBefore(numbers, value) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value + 0.001) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
