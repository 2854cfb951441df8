// What makes the pages quicker to use. Everything works without it.
"use strict";

// Times in the reader's zone; the UTC instant stays in the title.
const ownZone = new Intl.DateTimeFormat("sv-SE", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
});
function showOwnTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const instant = new Date(time.dateTime);
    if (!Number.isNaN(instant.getTime())) {
      time.textContent = ownZone.format(instant);
    }
  }
}

// Copy buttons: shown only where the browser lets a page write to the clipboard.
function offerCopying(root) {
  if (!navigator.clipboard) {
    return;
  }
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const done = document.createElement("span");
      done.className = "copied";
      done.setAttribute("role", "status");
      done.textContent = document.body.dataset.copied;
      button.after(done);
      setTimeout(() => done.remove(), 2000);
    });
  }
}

// Days and hours that somebody types into a filter are those of the reader's zone, like the times on the page. A
// zone that stands in the address already stays: whoever got the link sees what was meant.
function fillInZone(root) {
  for (const field of root.querySelectorAll("input[data-zone]")) {
    if (field.value) {
      continue;
    }
    field.value = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const name of field.form.querySelectorAll("[data-zone-name]")) {
      name.textContent = field.value;
    }
    for (const typed of field.form.querySelectorAll("input[data-utc]")) {
      typed.value = ownZone.format(new Date(typed.dataset.utc)).replace(" ", "T");
    }
  }
}

// One mark for all devices of a page.
function offerChoosingAll(root) {
  const chooseAll = root.querySelector("[data-choose-all]");
  if (!chooseAll) {
    return;
  }
  const marks = [...chooseAll.form.querySelectorAll("input[name='device']")];
  const look = () => {
    const count = marks.filter((mark) => mark.checked).length;
    chooseAll.checked = count === marks.length;
    chooseAll.indeterminate = count > 0 && count < marks.length;
  };
  chooseAll.hidden = false;
  chooseAll.addEventListener("change", () => {
    for (const mark of marks) {
      mark.checked = chooseAll.checked;
    }
  });
  chooseAll.form.addEventListener("change", look);
  look(); // the browser may have kept marks from before
}

// A template of a reason is filled in as soon as it is chosen; without JavaScript a button does it.
function offerTemplates(root) {
  const choice = root.querySelector("select[data-templates]");
  const reason = document.querySelector("textarea[name='reason']");
  if (!choice || !reason) {
    return;
  }
  choice.form.querySelector(".actions").remove();
  choice.addEventListener("change", () => {
    const text = choice.selectedOptions[0].dataset.text;
    if (text) {
      reason.value = text;
      reason.focus();
    }
  });
}

// What came later than the page, in the place of something else on it, gets the same (parts.js).
for (const quicken of [showOwnTimes, offerCopying, fillInZone, offerChoosingAll, offerTemplates]) {
  document.addEventListener("portal:part", (event) => quicken(event.target));
  quicken(document);
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

// A file of a device may be dropped anywhere on a page that takes one, or pasted: it then lies in the picker,
// and the reader hands it in. What cannot be right is told at once; the portal looks again.
const taker = document.querySelector("form[data-takes-file]");
if (taker) {
  const picker = taker.querySelector("input[type='file']");
  const problem = taker.querySelector("[data-file-problem]");
  const look = () => {
    const [file] = picker.files;
    let wrong = "";
    if (file?.name.toLowerCase().endsWith(".lic")) {
      wrong = taker.dataset.licenseFile;
    } else if (file?.size > Number(picker.dataset.mostBytes)) {
      wrong = taker.dataset.tooLarge;
    }
    picker.setCustomValidity(wrong);
    problem.textContent = wrong;
    problem.hidden = !wrong;
  };
  const take = (files) => {
    const one = new DataTransfer();
    one.items.add(files[0]);
    picker.files = one.files;
    look();
    taker.querySelector("button").focus();
  };
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const settle = () => taker.classList.remove("dropping");

  picker.after(problem);
  taker.querySelector("[data-drop-hint]").hidden = false;
  picker.addEventListener("change", look);
  document.addEventListener("dragover", (event) => {
    if (carriesFiles(event)) {
      event.preventDefault(); // else the browser would open the file in the place of the page
      event.dataTransfer.dropEffect = "copy";
      taker.classList.add("dropping");
    }
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) {
      settle();
    }
  });
  document.addEventListener("drop", (event) => {
    settle();
    if (carriesFiles(event)) {
      event.preventDefault();
      if (event.dataTransfer.files.length > 0) {
        take(event.dataTransfer.files);
      }
    }
  });
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length > 0) {
      event.preventDefault();
      take(event.clipboardData.files);
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
