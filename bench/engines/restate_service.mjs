// The workloads as a Restate service, in plain JavaScript. PORT: where to serve.
import http2 from "node:http2";
import * as restate from "@restatedev/restate-sdk";

// The SDK calls this; Node.js has it from version 22 on.
Promise.withResolvers ??= () => {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
};

const hello = (context, name) => context.run("say_hello", async () => `Hello ${name}!`);

const bench = restate.service({
  name: "Bench",
  handlers: {
    sequence: async (context) => {
      const greetings = [];
      for (const city of ["Tokyo", "Seattle", "London"]) greetings.push(await hello(context, city));
      return greetings;
    },
    fan: async (context, count) => {
      const tasks = Array.from({ length: count }, (_, number) => hello(context, String(number)));
      return (await restate.RestatePromise.all(tasks)).length;
    },
    chain: async (context, count) => {
      let last = "";
      for (let number = 0; number < count; number++) last = await hello(context, String(number));
      return last;
    },
  },
});

const waiter = restate.workflow({
  name: "Waiter",
  handlers: {
    run: async (context) => await context.promise("go"),
    signal: async (context, value) => {
      await context.promise("go").resolve(value);
    },
  },
});

const handler = restate.createEndpointHandler({ services: [bench, waiter] });
http2.createServer(handler).listen(Number(process.env.PORT), "127.0.0.1");
