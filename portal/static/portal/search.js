// Results while typing. Without it the search box is a form that opens a page with the same results.
"use strict";

const searchForm = document.querySelector("form[data-search]");
if (searchForm) {
  const input = searchForm.querySelector("input");
  const found = searchForm.querySelector(".search-found");
  const told = searchForm.querySelector("[aria-live]");
  const links = () => [...found.querySelectorAll("a")];
  const close = () => {
    found.hidden = true;
    told.textContent = "";
  };
  let waiting;
  let asked = new AbortController();

  const ask = async () => {
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const address = new URL(searchForm.action);
    address.search = new URLSearchParams({ q: input.value, part: "1" }).toString();
    try {
      const answer = await fetch(address, { signal });
      // Whoever was signed out meanwhile gets another page: the form leads there when it is sent.
      if (!answer.ok || answer.redirected) {
        return;
      }
      const part = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (signal.aborted) {
        return;
      }
      found.replaceChildren(...part.body.childNodes);
      found.hidden = false;
      told.textContent = links().length > 0 ? searchForm.dataset.found : searchForm.dataset.nothing;
    } catch (error) {
      if (error.name !== "AbortError") {
        close(); // the network is away; the form still works when it is back
      }
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(waiting);
    asked.abort();
    // A whole activation key does not fit the pattern: it must not get into an address.
    if (input.value.trim().length < 2 || !input.validity.valid) {
      close();
    } else {
      waiting = setTimeout(ask, 150);
    }
  });
  searchForm.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !found.hidden) {
      event.preventDefault(); // else the browser would empty the field as well
      close();
      input.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !found.hidden) {
      event.preventDefault();
      const stops = [input, ...links()];
      const next = stops.indexOf(document.activeElement) + step;
      stops[(next + stops.length) % stops.length].focus();
    }
  });
  searchForm.addEventListener("focusout", (event) => {
    if (!searchForm.contains(event.relatedTarget)) {
      close();
    }
  });
  found.addEventListener("mousedown", (event) => event.preventDefault()); // keeps the focus, so that a click counts
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      input.focus();
      input.select();
    }
  });
}
