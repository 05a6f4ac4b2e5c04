/** The sign-in: shown before anything is asked of the service, and again once a key has ended. */
import { signIn } from "./session.js";

const { React } = window;
const element = React.createElement;

export function SignIn({ why }) {
  const [said, setSaid] = React.useState(why);
  const [isAsking, setIsAsking] = React.useState(false);
  const enter = async (event) => {
    event.preventDefault();
    const field = event.currentTarget.elements.token;
    setIsAsking(true);
    try {
      await signIn(field.value);
    } catch (error) {
      setSaid(error.message);
      setIsAsking(false);
      field.select();
    }
  };
  return element(
    "main",
    { className: "graphiql-container tuppence-signin" },
    element(
      "form",
      { onSubmit: enter },
      element("h1", null, element("img", { src: picture, alt: "" }), "Tuppence"),
      element("label", { htmlFor: "token" }, "API key, or a member’s token"),
      element("input", FIELD),
      element("p", { className: "tuppence-refused", role: "alert" }, said),
      element("button", { className: "graphiql-button", disabled: isAsking }, "Sign in"),
      element(
        "p",
        { id: "about-token" },
        "It stays in this tab alone, until you close the tab or sign out. The service says where " +
          "its first key is whenever it starts.",
      ),
    ),
  );
}

const picture = new URL("favicon.svg", import.meta.url).href;

const FIELD = {
  id: "token",
  name: "token",
  type: "password",
  placeholder: "tpk_…",
  autoComplete: "off",
  spellCheck: false,
  required: true,
  autoFocus: true,
  "aria-describedby": "about-token",
};
