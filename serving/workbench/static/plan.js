// Shows the slider and keeps it and the field of the budget together; without it the field is enough.
const field = document.getElementById("budget");
const slider = document.getElementById("slider");
slider.closest("label").hidden = false;
slider.addEventListener("input", () => { field.value = slider.value; });
slider.addEventListener("change", () => { field.form.requestSubmit(); });
field.addEventListener("input", () => { slider.value = field.value; });
