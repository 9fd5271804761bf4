// Presses the only button of a page that somebody has come to by their own click; without JavaScript they press it themselves.
export default function (form) {
  form.submit();
}
