/* A picture of the sound around a second: loudness where it is known, else the words as blocks. */
const PER_SECOND = 25;
const HALF = 15; // seconds to either side

export class Waveform {
  constructor(canvas, onPlay) {
    this.canvas = canvas;
    this.loudness = null;
    this.words = [];
    this.view = { center: 0, start: null, places: [], now: 0 };
    canvas.addEventListener("click", (event) => {
      const share = event.offsetX / canvas.clientWidth;
      onPlay(Math.max(0, this.view.center - HALF + 2 * HALF * share));
    });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(view) {
    Object.assign(this.view, view);
    this.draw();
  }

  draw() {
    const { canvas, view } = this;
    const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
    if (canvas.width !== width * ratio) [canvas.width, canvas.height] = [width * ratio, height * ratio];
    const pen = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`);
    const x = (seconds) => ((seconds - view.center + HALF) / (2 * HALF)) * width;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = colour("bar");
    const middle = (height - 18) / 2;
    if (this.loudness) {
      const first = Math.max(0, Math.floor((view.center - HALF) * PER_SECOND));
      const last = Math.min(this.loudness.length, Math.ceil((view.center + HALF) * PER_SECOND));
      for (let at = first; at < last; at += 1) {
        const tall = Math.max(1, (this.loudness[at] / 255) * middle);
        pen.fillRect(x(at / PER_SECOND), middle - tall, Math.max(1, width / (2 * HALF * PER_SECOND) - 0.4), 2 * tall);
      }
    } else {
      for (const start of this.words) if (Math.abs(start - view.center) <= HALF) pen.fillRect(x(start), middle - 10, 3, 20);
    }
    pen.fillStyle = colour("muted");
    pen.font = "12px system-ui, sans-serif";
    for (let second = Math.ceil(view.center - HALF); second <= view.center + HALF; second += 1) {
      if (second >= 0 && second % 5 === 0) pen.fillText(formatTime(second), x(second) + 3, height - 4);
      if (second >= 0) pen.fillRect(x(second), height - (second % 5 ? 6 : 16), 1, second % 5 ? 3 : 16);
    }
    for (const place of view.places) line(place, colour("edge"), 1);
    if (view.start !== null) line(view.start, colour("review"), 3);
    line(view.now, colour("text"), 2);

    function line(seconds, ink, thick) {
      pen.fillStyle = ink;
      pen.fillRect(x(seconds) - thick / 2, 0, thick, height - 18);
    }
  }
}

export function formatTime(seconds, tenths = false) {
  const whole = Math.floor(tenths ? Math.round(seconds * 10) / 10 : seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  const text = hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  return tenths ? `${text}.${Math.round(seconds * 10) % 10}` : text;
}
