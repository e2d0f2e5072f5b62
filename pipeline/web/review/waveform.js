/* The waveform around a moment; until the loudness has loaded, the words as blocks. */
const VALUES_PER_SECOND = 25; // of the server's loudness
const HALF_WIDTH_S = 15; // seconds shown on either side

export class Waveform {
  constructor(canvas, onPlay) {
    this.canvas = canvas;
    this.loudness = null;
    this.wordStarts = [];
    this.view = { center: 0, start: null, candidates: [], position: 0 };
    canvas.addEventListener("click", (event) => {
      const share = event.offsetX / canvas.clientWidth;
      onPlay(Math.max(0, this.view.center - HALF_WIDTH_S + 2 * HALF_WIDTH_S * share));
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  /* Changes parts of the view (seconds) and draws it. */
  show(view) {
    Object.assign(this.view, view);
    this.draw();
  }

  draw() {
    const { canvas, view } = this;
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
    if (canvas.width !== width * ratio) [canvas.width, canvas.height] = [width * ratio, height * ratio];
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const color = (name) => style.getPropertyValue(`--${name}`);
    const x = (seconds) => ((seconds - view.center + HALF_WIDTH_S) / (2 * HALF_WIDTH_S)) * width;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.fillStyle = color("bar");
    const middle = (height - 18) / 2;
    if (this.loudness) {
      const first = Math.max(0, Math.floor((view.center - HALF_WIDTH_S) * VALUES_PER_SECOND));
      const last = Math.min(this.loudness.length, Math.ceil((view.center + HALF_WIDTH_S) * VALUES_PER_SECOND));
      for (let index = first; index < last; index += 1) {
        const tall = Math.max(1, (this.loudness[index] / 255) * middle);
        context.fillRect(x(index / VALUES_PER_SECOND), middle - tall, Math.max(1, width / (2 * HALF_WIDTH_S * VALUES_PER_SECOND) - 0.4), 2 * tall);
      }
    } else {
      for (const start of this.wordStarts) if (Math.abs(start - view.center) <= HALF_WIDTH_S) context.fillRect(x(start), middle - 10, 3, 20);
    }
    context.fillStyle = color("muted");
    context.font = "12px system-ui, sans-serif";
    for (let second = Math.ceil(view.center - HALF_WIDTH_S); second <= view.center + HALF_WIDTH_S; second += 1) {
      if (second >= 0 && second % 5 === 0) context.fillText(formatTime(second), x(second) + 3, height - 4);
      if (second >= 0) context.fillRect(x(second), height - (second % 5 ? 6 : 16), 1, second % 5 ? 3 : 16);
    }
    for (const candidate of view.candidates) drawLine(candidate, color("edge"), 1);
    if (view.start !== null) drawLine(view.start, color("review"), 3);
    drawLine(view.position, color("text"), 2);

    function drawLine(seconds, lineColor, lineWidth) {
      context.fillStyle = lineColor;
      context.fillRect(x(seconds) - lineWidth / 2, 0, lineWidth, height - 18);
    }
  }
}

/* Formats seconds as `16:36` or `1:02:07`, with `tenths` as `16:36.2`. */
export function formatTime(seconds, tenths = false) {
  const whole = Math.floor(tenths ? Math.round(seconds * 10) / 10 : seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  const text = hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return tenths ? `${text}.${Math.round(seconds * 10) % 10}` : text;
}
