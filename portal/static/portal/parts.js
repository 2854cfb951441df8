// Parts of a page that are replaced without loading the whole again. Everything works without it.
"use strict";

async function fetchPart(address, signal) {
  const answer = await fetch(address, { signal });
  // Whoever was signed out meanwhile gets another page: the next full load leads there.
  if (!answer.ok || answer.redirected) {
    return undefined;
  }
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// Work in the background: the bar moves, and what stands around it is left alone, so that the focus stays.
// When the work has ended, the whole part is replaced, and what it says then is read out.
function watch(part) {
  const pause = 1000;
  let failures = 0;
  const look = async () => {
    const address = part.dataset.poll;
    if (!address || !part.isConnected) {
      return;
    }
    let found;
    try {
      found = (await fetchPart(address))?.querySelector(".long-job");
      if (!found) {
        return; // it is not there any more, or somebody signed out
      }
      failures = 0;
    } catch {
      failures += 1; // the network is away for a moment
    }
    if (found && found.dataset.poll && found.dataset.state === part.dataset.state) {
      part.querySelector("[data-moving]").replaceChildren(...found.querySelector("[data-moving]").childNodes);
    } else if (found && !found.dataset.poll && part.closest("[data-reload]")) {
      location.reload(); // what the work was for stands around it
      return;
    } else if (found) {
      const focused = part.contains(document.activeElement);
      found.tabIndex = -1;
      found.setAttribute("role", "status");
      part.replaceWith(found);
      found.dispatchEvent(new Event("portal:part", { bubbles: true }));
      if (focused) {
        (found.querySelector("button") ?? found).focus();
      }
      part = found;
    }
    setTimeout(look, pause * Math.min(2 ** failures, 30));
  };
  setTimeout(look, pause);
}

for (const part of document.querySelectorAll(".long-job[data-poll]")) {
  watch(part);
}

// Lists: filters, pages and orders replace the part they are in. The address keeps the state, so that reload, back
// and a copied link show the same; the focus stays where it was.
const parts = () => [...document.querySelectorAll("[data-part]")];
let shown = location.href;
let asked = new AbortController();

function sameOf(element) {
  const key = (one) => [one.tagName, one.getAttribute("name"), one.getAttribute("rel"), one.className].join(" ");
  const like = (part) => [...part.querySelectorAll(element.tagName)].filter((one) => key(one) === key(element));
  const place = like(element.closest("[data-part]")).indexOf(element);
  return (part) => like(part)[place] ?? part;
}

async function showList(address, { push = true } = {}) {
  asked.abort();
  asked = new AbortController();
  const focused = document.activeElement?.closest("[data-part]") ? document.activeElement : undefined;
  const find = focused && sameOf(focused);
  const partId = focused?.closest("[data-part]").id;
  for (const part of parts()) {
    part.setAttribute("aria-busy", "true");
  }
  let found;
  try {
    found = await fetchPart(address, asked.signal);
  } catch (error) {
    if (error.name === "AbortError") {
      return; // something later was asked for
    }
  }
  if (!found || parts().some((part) => !found.getElementById(part.id))) {
    location.assign(address); // let the browser say what is wrong
    return;
  }
  if (push) {
    history.pushState(null, "", address);
  }
  shown = location.href;
  for (const part of parts()) {
    const fresh = document.adoptNode(found.getElementById(part.id));
    part.replaceWith(fresh);
    fresh.dispatchEvent(new Event("portal:part", { bubbles: true }));
    if (find && fresh.id === partId) {
      const target = find(fresh);
      if (target === fresh) {
        fresh.tabIndex = -1;
      }
      target.focus({ preventScroll: true });
    }
  }
}

const plain = (event) => !(
  event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-part] a[href]");
  // Only what shows the same list otherwise; a file is another thing.
  if (link && plain(event) && link.origin === location.origin && link.pathname === location.pathname
      && link.matches(".sort, .pages a")) {
    event.preventDefault();
    showList(link.href);
  }
});
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-part] form.filter") || form.method !== "get" || event.defaultPrevented) {
    return;
  }
  event.preventDefault();
  const address = new URL(form.action);
  address.search = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
  showList(address.href);
});
window.addEventListener("popstate", () => {
  // A jump within the page is no other list.
  if (parts().length > 0 && location.href.split("#")[0] !== shown.split("#")[0]) {
    showList(location.href, { push: false });
  }
});
