"use strict";
/* Plays an episode from any second: an audio or video file, or a YouTube video. Media are requested only when they are
   played. YouTube's frame is controlled by messages, so that no script of YouTube runs in this page. */
window.Player = class Player {
  static YOUTUBE = "https://www.youtube-nocookie.com";

  /* `place` is the element that receives the controls; `root` leads from this page to the site's folder. */
  constructor(place, root) {
    this.place = place;
    this.root = root;
    this.loaded = ""; // kind and source of the medium that the controls belong to
    this.seconds = 0;
    this.paused = true;
    this.listeners = [];
    addEventListener("message", (event) => this.receive(event));
  }

  onTime(listener) {
    this.listeners.push(listener);
  }

  /* Shows the controls without playing; of a YouTube video nothing is requested. */
  prepare({ kind, source, title }) {
    if (kind === "audio" || kind === "video") this.load(kind, source, title, 0);
  }

  play({ kind, source, title, label, link }, seconds) {
    if (this.loaded !== `${kind} ${source}`) this.load(kind, source, title, seconds);
    this.caption.textContent = label || title;
    this.elsewhere.replaceChildren(...(link ? [makeExternalLink(link, kind === "youtube" ? "Open on YouTube" : "Open the link")] : []));
    this.trouble.textContent = "";
    if (kind === "youtube") return this.playFrame(source, seconds);
    this.media.currentTime = seconds;
    return this.media.play().catch((error) => {
      // A pause before the sound starts aborts playing, which is no failure.
      if (error.name !== "AbortError") this.trouble.textContent = "This cannot be played here: the file is missing, or the browser does not know its format.";
    });
  }

  load(kind, source, title, seconds) {
    this.loaded = `${kind} ${source}`;
    this.caption = make("p");
    this.elsewhere = make("p", "elsewhere");
    this.trouble = make("p", "trouble");
    this.trouble.setAttribute("role", "alert");
    this.heading = make("div", "now");
    this.heading.append(this.caption);
    this.media = kind === "youtube" ? this.makeFrame(title) : this.makeMedia(kind, source, title, seconds);
    const stage = make("div", "stage");
    stage.append(this.media);
    this.place.replaceChildren(this.heading, stage, this.elsewhere, this.trouble);
  }

  makeFrame(title) {
    return Object.assign(document.createElement("iframe"), { title: `Video: ${title}`, allow: "autoplay; encrypted-media; picture-in-picture; fullscreen", referrerPolicy: "strict-origin-when-cross-origin" });
  }

  makeMedia(kind, source, title, seconds) {
    const media = Object.assign(document.createElement(kind), { controls: true, preload: "metadata" });
    media.setAttribute("aria-label", title);
    media.src = (/^https?:/.test(source) ? source : `${this.root}/${source}`) + (seconds ? `#t=${seconds}` : "");
    for (const event of ["timeupdate", "seeking", "play", "pause"]) {
      // The element of an episode played before may still send events.
      media.addEventListener(event, ({ target }) => target === this.media && this.notify(target.currentTime, target.paused));
    }
    return media;
  }

  playFrame(videoId, seconds) {
    const second = Math.floor(seconds);
    if (this.media.src.includes(`/embed/${videoId}?`)) {
      this.send("seekTo", [second, true]);
      this.send("playVideo", []);
    } else {
      this.media.addEventListener("load", () => this.post({ event: "listening", id: 1 }));
      this.media.src = `${Player.YOUTUBE}/embed/${videoId}?start=${second}&autoplay=1&enablejsapi=1&playsinline=1&rel=0`;
    }
    if (location.protocol === "file:") this.trouble.textContent = "YouTube may refuse to play in a page opened from disk; the link above opens the video at this second.";
    this.notify(second, false);
  }

  send(func, args) {
    this.post({ event: "command", func, args, id: 1 });
  }

  post(message) {
    this.media.contentWindow.postMessage(JSON.stringify(message), Player.YOUTUBE);
  }

  /* Reads the time from a message of YouTube's frame; any other message is ignored. */
  receive(event) {
    if (event.origin !== Player.YOUTUBE || event.source !== this.media?.contentWindow || typeof event.data !== "string") return;
    let info;
    try {
      info = JSON.parse(event.data).info;
    } catch {
      return;
    }
    if (typeof info?.currentTime === "number") this.notify(info.currentTime, info.playerState === undefined ? this.paused : info.playerState !== 1);
  }

  notify(seconds, paused) {
    this.seconds = seconds;
    this.paused = paused;
    for (const listener of this.listeners) listener(seconds, paused);
  }

  toggle() {
    if (!this.media) return;
    if (this.media.play) return void (this.media.paused ? this.media.play().catch(() => {}) : this.media.pause());
    this.send(this.paused ? "playVideo" : "pauseVideo", []);
    this.notify(this.seconds, !this.paused);
  }

  skip(seconds) {
    if (!this.media) return;
    const target = Math.max(0, this.seconds + seconds);
    if (this.media.play) this.media.currentTime = target;
    else this.send("seekTo", [target, true]);
    this.notify(target, this.paused);
  }

  stop() {
    this.media?.pause?.();
    this.place.replaceChildren();
    this.media = undefined;
    this.loaded = "";
    this.notify(0, true);
  }
};

function make(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function makeExternalLink(url, text) {
  return Object.assign(document.createElement("a"), { href: url, textContent: text, target: "_blank", rel: "noopener noreferrer" });
}

/* Whether an element needs the keys itself, to type a text or to move a control. */
function isTyping(target) {
  return target.matches("input:not([type=checkbox]), select, textarea, audio, video");
}
