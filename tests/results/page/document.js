// Runs the script of a page in node, beside a document that keeps elements and texts and draws nothing, and prints the
// texts of its sections: node document.js PAGE [SECTION BUTTON]..., where each button is clicked before.
"use strict";
const fs = require("fs");
const vm = require("vm");

const html = fs.readFileSync(process.argv[2], "utf8");
const ids = new Map();
const later = []; // what a browser would do when it is idle

class Words {
  constructor(text) { this.textContent = text; }
}

class Element extends Words {
  constructor(tag) {
    super("");
    Object.assign(this, { tag, kids: [], attributes: new Map(), style: {}, dataset: {}, listeners: {}, hidden: false });
    this.classList = { add: (name) => this.setAttribute("class", `${this.getAttribute("class") || ""} ${name}`), remove() {}, toggle() {} };
  }
  get textContent() { return (this.kids || []).map((kid) => kid.textContent).join(""); }
  set textContent(text) { this.kids = [new Words(String(text))]; }
  get children() { return this.kids.filter((kid) => kid instanceof Element); }
  get childElementCount() { return this.children.length; }
  get firstChild() { return this.kids[0]; }
  get clientWidth() { return 900; }
  get clientHeight() { return parseFloat(this.style.height) || 300; }
  append(...kids) { this.put(this.kids.length, kids); }
  prepend(...kids) { this.put(0, kids); }
  after(...kids) { this.parent.put(this.parent.kids.indexOf(this) + 1, kids); }
  replaceChildren(...kids) { this.kids = []; this.append(...kids); }
  put(at, kids) {
    const made = kids.map((kid) => (kid instanceof Words ? kid : new Words(String(kid)))); // as a browser does of null
    for (const kid of made) kid.parent = this;
    this.kids.splice(at, 0, ...made);
  }
  setAttribute(name, value) { if (name === "hidden") this.hidden = true; this.attributes.set(name, value); }
  getAttribute(name) { return this.attributes.get(name) ?? null; }
  addEventListener(event, does) { (this.listeners[event] ||= []).push(does); }
  getContext() { return context; }
  getBoundingClientRect() { return { left: 0, top: 0 }; }
  is(what) { return what.startsWith(".") ? (this.getAttribute("class") || "").split(" ").includes(what.slice(1)) : this.tag === what; }
  querySelectorAll(what) { return this.children.flatMap((kid) => [...(kid.is(what) ? [kid] : []), ...kid.querySelectorAll(what)]); }
  querySelector(what) { return this.querySelectorAll(what)[0] || null; }
}

const context = new Proxy({}, {
  get: (its, name) => (name === "measureText" ? (text) => ({ width: 6 * text.length }) : name in its ? its[name] : () => {}),
  set: (its, name, value) => { its[name] = value; return true; },
});

const root = new Element("main");
for (const [, tag, id] of html.matchAll(/<(\w+)[^>]*\bid="([\w-]+)"[^>]*>/g)) {
  const made = new Element(tag);
  ids.set(id, made);
  root.append(made);
  if (tag !== "section") continue;
  made.hidden = true;
  for (const [part, name] of [["h2", "head"], ["p", "hint"], ["div", "body"]]) {
    const kid = new Element(part);
    kid.setAttribute("class", name);
    made.append(kid);
  }
}
ids.get("data").textContent = html.match(/<script[^>]*\bid="data"[^>]*>([^]*?)<\/script>/)[1];

const settle = () => { while (later.length) later.shift()(); };
const watching = class { constructor(does) { this.does = does; } observe() { later.push(() => this.does([{ isIntersecting: true }])); } };
const page = {
  document: {
    getElementById: (id) => ids.get(id) || null, createElement: (tag) => new Element(tag), documentElement: root, body: root,
    addEventListener() {}, querySelector: (what) => root.querySelector(what), querySelectorAll: () => [],
  },
  Node: Words, ResizeObserver: watching, IntersectionObserver: watching, devicePixelRatio: 1, location: { hash: "" }, navigator: {},
  addEventListener() {}, matchMedia: () => ({ matches: false, addEventListener() {} }),
  getComputedStyle: () => ({ getPropertyValue: () => "black" }), localStorage: { getItem: () => null, setItem() {} },
  requestAnimationFrame: (does) => later.push(does), requestIdleCallback: (does) => later.push(does),
};
page.window = page;
vm.runInNewContext(html.match(/<script>([^]*?)<\/script>/)[1], page);
settle();
for (let at = 3; at < process.argv.length; at += 2) {
  const found = ids.get(process.argv[at]).querySelectorAll("button").find((button) => button.textContent === process.argv[at + 1]);
  found.listeners.click.forEach((does) => does());
  settle();
}

const LINES = ["p", "h2", "h3", "td", "th", "label", "button", "summary", "li", "pre", "span"];
const lines = (node) => (node.hidden ? [] : !(node instanceof Element) || LINES.includes(node.tag) ? [node.textContent] : node.kids.flatMap(lines));
const told = [...ids].filter(([id]) => id !== "data").map(([id, its]) => [id, its.hidden ? null : its.kids.flatMap(lines).filter(Boolean)]);
console.log(JSON.stringify(Object.fromEntries(told)));
