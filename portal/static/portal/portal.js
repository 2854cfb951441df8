// What makes the pages quicker to use. Everything works without it.
"use strict";

// Times in the reader's zone; the UTC instant stays in the title.
const ownZone = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});
for (const time of document.querySelectorAll("time[datetime]")) {
  const instant = new Date(time.dateTime);
  if (!Number.isNaN(instant.getTime())) {
    time.textContent = ownZone.format(instant);
  }
}

// Copy buttons: shown only where the browser lets a page write to the clipboard.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const done = document.createElement("span");
      done.className = "copied";
      done.setAttribute("role", "status");
      done.textContent = button.dataset.copied;
      button.after(done);
      setTimeout(() => done.remove(), 2000);
    });
  }
}

// Activation codes in groups of five while they are typed, with the caret at the end only: elsewhere the
// reader is correcting something and must not be disturbed.
for (const input of document.querySelectorAll("input[data-activation-code]")) {
  input.addEventListener("input", () => {
    const plain = input.value.toUpperCase().replace(/[\s\-\u2010-\u2015]/g, "");
    if (input.selectionStart === input.value.length && /^[0-9A-Z]*$/.test(plain)) {
      input.value = plain.match(/.{1,5}/g)?.join("-") ?? "";
    }
  });
}

// A passkey that was not used, because the person or the browser did not want to: the page says so.
document.addEventListener("allauth.error", (event) => {
  const place = document.querySelector("[data-passkey-failed]");
  if (place) {
    event.preventDefault();
    place.hidden = false;
  }
});
