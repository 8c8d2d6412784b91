"use strict";
{
  const get = (id) => document.getElementById(id);
  const player = get("player");
  const total = Number(player.dataset.seconds);
  const tracks = [...player.querySelectorAll(".track")].map((element) => ({
    element,
    name: element.dataset.name,
    key: element.dataset.key,
    seconds: Number(element.dataset.seconds),
    button: element.querySelector(".listen"),
    lane: element.querySelector(".lane"),
    fault: element.querySelector(".fault"),
    audio: element.querySelector("audio"),
  }));
  const heard = tracks.filter((track) => track.audio);
  let current = heard[0] ?? tracks[0];
  let playing = false;
  let position = 0; // in seconds, where it stays while nothing plays

  const say = (text) => { get("said").textContent = text; };
  const now = () => (playing ? current.audio.currentTime : position);

  function draw() {
    const at = now();
    player.style.setProperty("--position", at / total);
    get("clock").textContent = `${at.toFixed(1)} / ${total.toFixed(1)} s`;
    get("position").value = at;
    get("position").setAttribute("aria-valuetext", `${at.toFixed(1)} of ${total.toFixed(1)} seconds`);
  }

  function follow() {
    if (!playing) return;
    draw();
    requestAnimationFrame(follow);
  }

  function seek(at) {
    position = Math.min(Math.max(at, 0), total);
    if (current.audio) current.audio.currentTime = Math.min(position, current.seconds);
    draw();
  }

  async function sound() {
    const wanted = current;
    try {
      await wanted.audio.play();
    } catch (error) {
      if (error.name === "AbortError" || wanted !== current) return; // paused or switched meanwhile
      wanted.fault.hidden = false;
      pause();
      return;
    }
    // Only now: what was heard before goes on until the next track is there.
    for (const track of heard) if (track !== current) track.audio.pause();
    if (!playing) current.audio.pause();
  }

  function play() {
    if (!current.audio) return;
    if (position >= current.seconds) seek(0);
    playing = true;
    get("play").textContent = "Pause";
    sound();
    follow();
  }

  function pause() {
    position = now();
    playing = false;
    get("play").textContent = "Play";
    for (const track of heard) track.audio.pause();
    draw();
  }

  const toggle = () => (playing ? pause() : play());

  function mark() {
    for (const track of tracks) {
      track.element.classList.toggle("current", track === current);
      track.button.setAttribute("aria-pressed", track === current);
    }
  }

  function select(track) {
    if (track === current) return;
    const at = now();
    current = track;
    mark();
    seek(at);
    if (playing) sound();
    say(track.name);
  }

  for (const track of heard) {
    track.button.addEventListener("click", () => (track === current ? toggle() : select(track)));
    track.audio.addEventListener("ended", () => {
      if (track === current && playing) pause();
    });
  }

  for (const track of tracks) {
    const there = (event) => {
      const box = track.lane.getBoundingClientRect();
      seek(((event.clientX - box.left) / box.width) * total);
    };
    track.lane.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      track.lane.setPointerCapture(event.pointerId);
      if (track.audio) select(track);
      there(event);
    });
    track.lane.addEventListener("pointermove", (event) => {
      if (track.lane.hasPointerCapture(event.pointerId)) there(event);
    });
  }

  const showPrompt = () => player.classList.toggle("without-prompt", !get("prompt").checked);
  const setLoop = () => {
    for (const track of heard) track.audio.loop = get("loop").checked;
  };
  get("play").addEventListener("click", toggle);
  get("position").addEventListener("input", (event) => seek(Number(event.target.value)));
  get("prompt").addEventListener("change", showPrompt);
  get("loop").addEventListener("change", setLoop);

  const keys = {
    ArrowLeft: (event) => seek(now() - (event.shiftKey ? 0.1 : 1)),
    ArrowRight: (event) => seek(now() + (event.shiftKey ? 0.1 : 1)),
    Home: () => seek(0),
    " ": toggle,
    l: () => get("loop").click(),
    p: () => get("prompt").click(),
    ...Object.fromEntries(heard.filter((track) => track.key).map((track) => [track.key, () => select(track)])),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    // A button or a box that has the focus keeps its own space bar.
    if (event.key === " " && event.target.closest("button, summary, input[type=checkbox]")) return;
    event.preventDefault();
    keys[event.key](event);
  });

  get("copy").addEventListener("click", async () => {
    const text = get("recipe").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Not every browser lets a page from disk at the clipboard; all let it copy a selection.
      getSelection().selectAllChildren(get("recipe"));
      document.execCommand("copy");
    }
    say("Recipe copied");
    get("copy").textContent = "Copied";
    setTimeout(() => { get("copy").textContent = "Copy"; }, 2000);
  });

  mark();
  setLoop();
  showPrompt();
  draw();
}
