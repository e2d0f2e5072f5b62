/* The transcript beside the player: follows the audio, and finds the word that was clicked. Words are marked by ranges
   (CSS custom highlights) instead of elements, so that the text stays plain text. */
export class TranscriptView {
  constructor(container, paragraphs, { onPlay, onStart }) {
    this.container = container;
    this.blocks = paragraphs.filter(({ words }) => words.length).map((paragraph) => this.write(paragraph));
    this.blockStarts = this.blocks.map((block) => block.starts[0]);
    this.wordStarts = this.blocks.flatMap((block) => block.starts);
    this.sentenceStarts = this.blocks.flatMap(({ words, starts }) => starts.filter((_, n) => n === 0 || /[.?!…]["'”’)\]]*$/.test(words[n - 1])));
    container.addEventListener("click", (event) => this.callAtWord(event, onPlay));
    container.addEventListener("dblclick", (event) => this.callAtWord(event, onStart));
  }

  write({ words, starts }) {
    const element = document.createElement("p");
    element.textContent = words.join(" ");
    this.container.append(element);
    return { element, words, starts };
  }

  /* Calls a function with the start of the word under the pointer. */
  callAtWord(event, callback) {
    const caret = document.caretPositionFromPoint?.(event.clientX, event.clientY);
    const block = this.blocks.find(({ element }) => element === caret?.offsetNode.parentElement);
    if (block) callback(block.starts[block.element.textContent.slice(0, caret.offset).split(" ").length - 1]);
  }

  /* Highlights the word at `seconds` under a name, and scrolls to it if `reveal`. */
  highlightWord(name, seconds, reveal) {
    const block = this.blocks[Math.max(0, lastBefore(this.blockStarts, seconds))];
    if (!block) return;
    const index = Math.max(0, lastBefore(block.starts, seconds));
    const offset = block.words.slice(0, index).join(" ").length + (index ? 1 : 0);
    const range = new Range();
    range.setStart(block.element.firstChild, offset);
    range.setEnd(block.element.firstChild, offset + block.words[index].length);
    if (window.Highlight) CSS.highlights.set(name, new Highlight(range));
    if (reveal) this.reveal(range);
  }

  /* Scrolls the transcript, not the page, to a word that is out of sight. */
  reveal(range) {
    const [word, frame] = [range.getBoundingClientRect(), this.container.getBoundingClientRect()];
    if (word.top < frame.top || word.bottom > frame.bottom) this.container.scrollTop += word.top - frame.top - frame.height / 3;
  }

  previousSentence(seconds) {
    return this.sentenceStarts[lastBefore(this.sentenceStarts, seconds - 0.06)];
  }

  nextSentence(seconds) {
    return this.sentenceStarts[lastBefore(this.sentenceStarts, seconds + 0.05) + 1];
  }
}

/* The index of the last of some rising numbers that is at most `value`; -1 if all are larger. */
export function lastBefore(numbers, value) {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle] <= value + 0.001) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
