"use strict";
/* Plays an episode from any second: an audio or video file, or a YouTube video. Nothing is requested before it is asked
   to play. YouTube's frame is spoken to by messages, so that no script of theirs runs in this page. */
window.Player = class Player {
  static YOUTUBE = "https://www.youtube-nocookie.com";

  /* `place` is filled with the controls; `root` leads from this page to the site's folder. */
  constructor(place, root) {
    this.place = place;
    this.root = root;
    this.source = "";
    this.seconds = 0;
    this.paused = true;
    this.listeners = [];
    addEventListener("message", (event) => this.hear(event));
  }

  onTime(listener) {
    this.listeners.push(listener);
  }

  /* Make the controls ready without playing; a YouTube video is not even asked for. */
  prepare({ kind, address, title }) {
    if (kind === "audio" || kind === "video") this.load(kind, address, title, 0);
  }

  play({ kind, address, title, label, link }, seconds) {
    if (this.source !== `${kind} ${address}`) this.load(kind, address, title, seconds);
    this.caption.textContent = label || title;
    this.elsewhere.replaceChildren(...(link ? [outward(link, kind === "youtube" ? "Open on YouTube" : "Open the link")] : []));
    this.trouble.textContent = "";
    if (kind === "youtube") return this.playFrame(address, seconds);
    this.media.currentTime = seconds;
    return this.media.play().catch((error) => {
      // A pause that comes before the sound does is no failure.
      if (error.name !== "AbortError") this.trouble.textContent = "This cannot be played here: the file is missing, or the browser does not know its format.";
    });
  }

  load(kind, address, title, seconds) {
    this.source = `${kind} ${address}`;
    this.caption = make("p");
    this.elsewhere = make("p", "elsewhere");
    this.trouble = make("p", "trouble");
    this.trouble.setAttribute("role", "alert");
    const stage = make("div", "stage");
    const now = make("div", "now");
    now.append(this.caption);
    this.now = now;
    if (kind === "youtube") {
      this.media = Object.assign(document.createElement("iframe"), { title: `Video: ${title}`, allow: "autoplay; encrypted-media; picture-in-picture; fullscreen", referrerPolicy: "strict-origin-when-cross-origin" });
    } else {
      this.media = Object.assign(document.createElement(kind), { controls: true, preload: "metadata" });
      this.media.setAttribute("aria-label", title);
      this.media.src = (/^https?:/.test(address) ? address : `${this.root}/${address}`) + (seconds ? `#t=${seconds}` : "");
      for (const event of ["timeupdate", "seeking", "play", "pause"]) {
        this.media.addEventListener(event, ({ target }) => target === this.media && this.tell(target.currentTime, target.paused));
      }
    }
    stage.append(this.media);
    this.place.replaceChildren(now, stage, this.elsewhere, this.trouble);
  }

  playFrame(address, seconds) {
    const whole = Math.floor(seconds);
    if (this.media.src.includes(`/embed/${address}?`)) {
      this.send("seekTo", [whole, true]);
      this.send("playVideo", []);
    } else {
      this.media.addEventListener("load", () => this.post({ event: "listening", id: 1 }));
      this.media.src = `${Player.YOUTUBE}/embed/${address}?start=${whole}&autoplay=1&enablejsapi=1&playsinline=1&rel=0`;
    }
    if (location.protocol === "file:") this.trouble.textContent = "YouTube may refuse to play in a page opened from disk; the link above opens the video at this second.";
    this.tell(whole, false);
  }

  send(func, args) {
    this.post({ event: "command", func, args, id: 1 });
  }

  post(message) {
    this.media.contentWindow.postMessage(JSON.stringify(message), Player.YOUTUBE);
  }

  hear(event) {
    if (event.origin !== Player.YOUTUBE || event.source !== this.media?.contentWindow || typeof event.data !== "string") return;
    let info;
    try {
      info = JSON.parse(event.data).info;
    } catch {
      return;
    }
    if (typeof info?.currentTime === "number") this.tell(info.currentTime, info.playerState === undefined ? this.paused : info.playerState !== 1);
  }

  tell(seconds, paused) {
    this.seconds = seconds;
    this.paused = paused;
    for (const listener of this.listeners) listener(seconds, paused);
  }

  toggle() {
    if (!this.media) return;
    if (this.media.play) return void (this.media.paused ? this.media.play().catch(() => {}) : this.media.pause());
    this.send(this.paused ? "playVideo" : "pauseVideo", []);
    this.tell(this.seconds, !this.paused);
  }

  skip(seconds) {
    if (!this.media) return;
    const target = Math.max(0, this.seconds + seconds);
    if (this.media.play) this.media.currentTime = target;
    else this.send("seekTo", [target, true]);
    this.tell(target, this.paused);
  }

  stop() {
    this.media?.pause?.();
    this.place.replaceChildren();
    this.media = undefined;
    this.source = "";
    this.tell(0, true);
  }
};

function make(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text });
}

function outward(address, text) {
  return Object.assign(document.createElement("a"), { href: address, textContent: text, target: "_blank", rel: "noopener noreferrer" });
}

/* Keys that must not be taken from a person who writes, or who moves a control. */
function isWriting(target) {
  return target.matches("input:not([type=checkbox]), select, textarea, audio, video");
}
