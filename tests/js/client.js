// Drives the SDK's DurableClient through a whole life of instances and entities.
//
// Arguments: the text of a durableClient binding, the origin of the host, "rpc" or "webhook".
// Prints one JSON object: what each call returned, or the message of its error.

const { InvocationContext } = require("@azure/functions");
const df = require("durable-functions");

const [bindingText, origin, way] = process.argv.slice(2);

// The SDK replaces the origin of links with its idea of a local one, unless this names the app.
process.env.WEBSITE_HOSTNAME = new URL(origin).host;

function makeClient() {
  const data = JSON.parse(bindingText);
  if (way === "webhook") delete data.rpcBaseUrl;
  // What the worker does for an app.http(..., { extraInputs: [df.input.durableClient()] }).
  const input = df.input.durableClient();
  const context = new InvocationContext({ functionName: "f", options: { extraInputs: [input] } });
  context.extraInputs.set(input, data);
  return df.getClient(context);
}

async function failure(promise) {
  return promise.then(
    (value) => `no failure: ${JSON.stringify(value)}`,
    (error) => error.message
  );
}

async function eventually(read, accept) {
  const until = Date.now() + 20000;
  for (;;) {
    const value = await read();
    if (accept(value)) return value;
    if (Date.now() > until) throw new Error(`not in time: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function main() {
  const client = makeClient();
  const seen = {};
  const reached = (id, status) =>
    eventually(
      () => client.getStatus(id),
      (value) => value.runtimeStatus === status
    );
  const name = `js-${way}`;
  const begun = new Date(Date.now() - 60000);

  seen.started = await client.startNew("Waiter", { instanceId: name, input: { a: [1, "ü"] } });
  seen.running = await reached(name, "Running");
  await client.suspend(name, "a break");
  await reached(name, "Suspended");
  await client.resume(name, "go on");
  await reached(name, "Running");
  const request = { url: `${origin}/api/x` };
  const waited = await client.waitForCompletionOrCreateCheckStatusResponse(request, name, {
    timeoutInMilliseconds: 10,
    retryIntervalInMilliseconds: 5,
  });
  seen.stillRunning = [waited.status, waited.headers.get("location")];
  await client.raiseEvent(name, "Go", { b: "→" });
  const ended = await client.waitForCompletionOrCreateCheckStatusResponse(request, name, {
    timeoutInMilliseconds: 20000,
    retryIntervalInMilliseconds: 20,
  });
  seen.completed = [ended.status, await ended.json()];
  seen.completedStatus = await client.getStatus(name, {
    showHistory: true,
    showHistoryOutput: true,
    showInput: true,
  });

  const links = client.createHttpManagementPayload(name);
  seen.links = links;
  const checked = client.createCheckStatusResponse(request, name);
  seen.checkStatus = [checked.status, await checked.json()];
  // This SDK has no restart; its link does it.
  const restarted = await (await fetch(links.restartPostUri, { method: "POST" })).json();
  seen.restarted = restarted.id;
  await reached(restarted.id, "Running");
  await client.terminate(restarted.id, "enough");
  seen.terminated = await reached(restarted.id, "Terminated");

  const failing = await client.startNew("Fails", { version: "1.2" });
  await reached(failing, "Failed");
  await client.rewind(failing, "once-more");
  seen.rewound = await reached(failing, "Completed");

  seen.all = (await client.getStatusAll()).map((one) => one.instanceId).sort();
  const filter = { createdTimeFrom: begun, runtimeStatus: ["Terminated"] };
  seen.by = (await client.getStatusBy(filter)).map((one) => one.instanceId);
  seen.expected = [name, restarted.id, failing].sort();

  const entity = new df.EntityId("Counter", `k-${way}`);
  seen.noEntity = await client.readEntityState(entity);
  // An entity in Python reads JSON out of a string, as its own SDK sends it.
  await client.signalEntity(entity, "add", "5");
  await client.signalEntity(entity, "add", "0");
  await client.signalEntity(entity, "twice");
  seen.entity = await eventually(
    () => client.readEntityState(entity),
    (read) => read.entityState === 10
  );

  seen.gone = await failure(client.raiseEvent(name, "Go", 1));
  seen.unknown = {
    status: await failure(client.getStatus("nope")),
    event: await failure(client.raiseEvent("nope", "Go", 1)),
    terminate: await failure(client.terminate("nope", "r")),
    suspend: await failure(client.suspend("nope", "r")),
    rewind: await failure(client.rewind("nope", "r")),
    notFailed: await failure(client.rewind(name, "r")),
  };

  seen.purged = await client.purgeInstanceHistory(name);
  seen.purgedAgain = await client.purgeInstanceHistory(name);
  seen.purgedBy = await client.purgeInstanceHistoryBy({
    createdTimeFrom: begun,
    createdTimeTo: new Date(Date.now() + 60000),
    runtimeStatus: ["Completed", "Terminated"],
  });
  process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
