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
    } catch {
      // the network is away for a moment
    }
    failures = found ? 0 : failures + 1;
    if (found && found.dataset.poll && found.dataset.state === part.dataset.state) {
      part.querySelector("[data-moving]").replaceChildren(...found.querySelector("[data-moving]").childNodes);
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
