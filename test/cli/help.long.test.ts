/** @file What the command says of itself. Commander folds help to the terminal; without one, to 80 columns. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodesOf } from "../../src/cli/completion/tree.js";
import { program } from "../../src/cli/run.js";
import { VERSION } from "../../src/core/version.js";
import { cli } from "./support.js";

const columns = process.stdout.columns;
beforeAll(() => {
  process.stdout.columns = 80;
});
afterAll(() => {
  process.stdout.columns = columns;
});

const SILENT = { out: () => undefined, err: () => undefined, signal: new AbortController().signal };
/** A help with more options than this begins with those that are often used. */
const MANY = 13;

/** The words of every command, as they are written. */
const allPaths = async (): Promise<string[][]> =>
  nodesOf(await program(SILENT)).map(({ path }) => path.split(" ").filter(Boolean));

describe("help", () => {
  it("of dynn names the commands", async () => {
    expect(await cli("--help")).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "Usage: dynn [options] [command]

      Build, run and stress-test dynamic neural networks.

      Options:
        -V, --version                 print the version
        -h, --help                    print help

      Commands:
        audit <model>                 Attack a network with one exit or many, and
                                      report how accurate, how fast and how attackable
                                      it is.
        attack <model> <image>        Attack one image, write it, and say what every
                                      exit answers before and after.
        attacks [name]                List the attacks: methods, goals and losses,
                                      with sources, norms, access and defaults.
        inspect <model>               Show the contents of a model file: input, exits,
                                      cost per exit, legal cuts, operators.
        gradient <model>              Write a plain ONNX model that also returns its
                                      loss per sample and the gradient of its input.
        train <architecture>          Train a network with one exit or many, and write
                                      it as one ONNX file with a model card.
        transfer <models...>          Make attacks on each of several networks and
                                      measure how they work on the others.
        convert <model>               Add early exits to a trained classifier. Its
                                      weights and its final answers do not change.
        calibrate <model>             Choose thresholds on validation records, measure
                                      them on test records, and write them into the
                                      model.
        profile <model>               Measure what early exits save: accuracy, time
                                      and latency against the static network, in one
                                      run.
        export <model>                Write a model for deployment: stage files, one
                                      file that stops early by itself, or device and
                                      server.
        serve <bundle>                Run the server's half of a split network over
                                      HTTP. It answers what devices are not confident
                                      of.
        play [model]                  Open the playground in a browser: see a network
                                      think, and attack it image by image.
        study                         Plan, run and report a study: static and dynamic
                                      networks, attacks, six claims, verdicts.
        worker                        Run tasks of a study that another process began,
                                      on this or any other machine.
        zoo                           List, show, fetch, verify and train the networks
                                      of the study.
        classify <model> <images...>  Classify images. The device answers when an exit
                                      is confident; a server answers the rest.
        completion <shell>            Print the script by which a shell completes the
                                      words of dynn.
        help [command]                print the help of a command

      Examples:
        # How accurate, how fast and how attackable is the bundled network?
        $ dynn audit zoo:resnet20-joint --report report.html

        # What does a model file hold: exits, cuts, cost?
        $ dynn inspect model.onnx

        # The same model with its input gradient, as plain ONNX
        $ dynn gradient model.onnx -o with-gradient.onnx

        # A network of your own, with six early exits
        $ dynn train resnet20 --data cifar10:data --recipe joint -o mine.onnx

      Exit codes: 0 done, 1 the work failed, 2 the call was wrong, 130 interrupted.
      Documents (docs/...): https://github.com/dynn-project/dynn/blob/main/docs
      ",
      }
    `);
  });

  it("of dynn audit names every option with its default", async () => {
    const { code, out, err } = await cli("audit", "--help");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatchInlineSnapshot(`
      "Usage: dynn audit [options] <model>

      Attack a network with one exit or many, and report how accurate, how fast and
      how attackable it is.

      Arguments:
        model                     an ONNX classifier (pixels in [0,1], NCHW), or
                                  zoo:NAME for a bundled one

      Often used:
        --data <spec>             cifar10:DIR, cifar100:DIR, folder:DIR,
                                  npy:IMAGES,LABELS or sample (default: "sample")
        --samples <n>             report on the first N records (default: up to 1000)
        --attacks <list>          names from the list below, all or none (default:
                                  fgsm, pgd, average, routed, early, slowdown)
        --eps <radius>            Linf radius of the attacks; pixels lie in [0,1]
                                  (default: 8/255)
        --threshold <t>           0.8 | 0.8,0.7,never,... (one per early exit) |
                                  keep:95% (cheapest that keeps 95 % of the final
                                  accuracy; rad:5%, a relative accuracy drop of 5 %,
                                  is the same) | drop:1pt (cheapest that loses at most
                                  1 percentage point) | budget:50% (most accurate at
                                  half the cost) (default: the model's own, else
                                  keep:95%)
        --report <file>           write a self-contained HTML report
        --json <file>             write the record as JSON (docs/audit-json.md); -
                                  prints it instead of the tables

      More options:
        --attack-file <file>      a JSON file that states the attacks exactly
                                  (docs/attack-file.md)
        --targeted <class>        attacks aim at a class: least-likely, second,
                                  random, or the number of one
        --radii <list>            radii of the robustness curve, or 0 for none
                                  (default: 1/8, 1/4, 1/2 and all of --eps; with
                                  --attack-file, --surrogate or --attacks none: none)
        --curve-steps <n>         PGD steps at each radius of the curve (default: 20)
        --surrogate <models>      networks that the attacks search on in place of the
                                  audited one: ONNX files or zoo:NAME, as a list
        --ensemble <form>         how several surrogates become one: by the mean of
                                  their logits, probabilities or losses (choices:
                                  "logits", "probabilities", "losses", default:
                                  "logits")
        --baseline <model>        for a network with gates: a static network that says
                                  how difficult each image is (ONNX file or zoo:NAME)
        --fixed-blocks            for a network with gates: search the best fixed
                                  blocks of equal cost on validation records, and
                                  compare with them, with random gates and with
                                  --baseline (McNemar's test)
        --records <file>          write one row per sample and attack as a Parquet
                                  file (docs/audit-json.md)
        --table <file>            write the results as a table, by the ending: .tex,
                                  .md, .csv
        --seeds <n>               run the attacks with N seeds, from --seed on: mean,
                                  standard deviation and 95 % interval (default: 1)
        --json-samples            the record also holds one entry for each attacked
                                  sample
        --rule <name>             exit rule: max-softmax, entropy, margin, patience
                                  (default: the model's own, else max-softmax)
        --fallback <name>         answer when no early exit fires: final or
                                  most-confident (default: the model's own, else
                                  final)
        --validation <spec>       data to choose thresholds on (default: records of
                                  --data that are not reported)
        --validation-samples <n>  number of validation records (default: 1000)
        --exits <names>           outputs that are early exits (default: those that
                                  stop before the final one)
        --final <name>            output that is the final classifier (default: the
                                  costliest)
        --classes <file>          JSON that names the model's class for a class of the
                                  data: {"car": "automobile"}
        --by-order                take the classes of the data in their order,
                                  whatever they are called
        --mean <list>             per channel; for a model that expects (x - mean) /
                                  std
        --std <list>              per channel, with --mean
        --force-normalization     normalise also a model that normalises its input
                                  already
        --channels <order>        order of the channels that the model expects: rgb or
                                  bgr (default: rgb)
        --seed <n>                seed of every random number (default: 0)
        --batch <n>               samples per evaluation; it changes time and memory,
                                  not results (default: up to 64, as many as 1 GB
                                  holds)
        --threads <n>             threads of the engine (default: one per core)
        --provider <name>         where to compute: cpu, webgpu, cuda (default: "cpu")
        --keep <folder>           keep the images of each finished attack (NAME.npy)
                                  with labels.npy, indices.npy and manifest.json, and
                                  continue from them after an interruption
        --store <dir>             keep finished tasks in this folder; a later call
                                  takes equal ones from it, such as the same attack on
                                  the same model and records
        -h, --help                print help

      Attacks:
        fgsm             one gradient step on the final exit (Goodfellow et al. 2015)
        pgd              20 projected gradient steps on the final exit (Madry et al.
                         2018)
        pgd-l2           the same within an L2 ball of 128/255
        cw               the closest misclassified image (Carlini & Wagner 2017)
        routed           PGD on the exit that the deployed network takes at each step
        average          PGD on the mean loss of all exits (Hu et al. 2020)
        max              the strongest of one PGD per exit (Hu et al. 2020)
        early            the full network keeps its label; an early exit, or the
                         network that skips blocks, answers wrongly
        early-published  the same as the study published it, on 48 samples
        slowdown         no early exit fires (DeepSloth, Hong et al. 2021), and gates
                         open
        slowdown-l1      the same within an L1 ball of 8, in the pixels of the largest
                         gradients
        ilfo             gates open, without a limit on the distance (ILFO, Haque et
                         al. 2020), on 48 samples
        ilfo-linf        the same within the radius
        gradauto         gates open, without a limit on the distance (GradAuto, Pan et
                         al. 2022), on 48 samples
        gradauto-linf    the same within the radius
        gradmdm          gates open, without a limit on the distance (GradMDM, Pan et
                         al. 2023), on 48 samples
        gradmdm-linf     the same within the radius

      Every method is an attack on the final exit too; \`dynn attacks\` lists them.

      Examples:
        # The bundled network on the bundled images, with an HTML report
        $ dynn audit zoo:resnet20-joint --report report.html

        # Your own model on 256 CIFAR-10 test images, with threshold 0.8
        $ dynn audit model.onnx --data cifar10:data --samples 256 --threshold 0.8

        # What an attacker reaches who only has another network
        $ dynn audit zoo:resnet20-joint --surrogate zoo:resnet20-static --attacks pgd

        # Whether gates spend more on images that a static network finds difficult
        $ dynn audit gated.onnx --data cifar10:data --attacks none \\
            --baseline zoo:resnet20-static

        # Results for a paper: five seeds, a LaTeX table
        $ dynn audit zoo:resnet20-joint --attacks pgd,apgd-ce,routed --eps 2/255 \\
            --seeds 5 --table results.tex

        # Networks that skip blocks: how much of the saved work attacks bring back
        $ dynn audit gates.onnx --data cifar10:data --attacks slowdown,ilfo-linf,early

        # Two attacks, a smaller radius, your own arrays, a JSON record
        $ dynn audit model.onnx --data npy:x.npy,y.npy --attacks pgd,slowdown \\
            --eps 2/255 --json audit.json
      "
    `);
  });

  it("of dynn inspect names every option", async () => {
    const { code, out, err } = await cli("inspect", "--help");
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatchInlineSnapshot(`
      "Usage: dynn inspect [options] <model>

      Show the contents of a model file: input, exits, cost per exit, legal cuts,
      operators.

      Arguments:
        model               an ONNX classifier, or zoo:NAME for a bundled one

      Options:
        --image-size <h,w>  for a model without a fixed image size
        --exits <names>     outputs that are early exits (default: those that stop
                            before the final one)
        --final <name>      output that is the final classifier (default: the
                            costliest)
        --graph             print the graph, one line per node, as dynn reads it
                            (constants folded)
        --json <file>       write the results as JSON; - prints them
        -h, --help          print help

      Examples:
        $ dynn inspect zoo:resnet20-joint
        $ dynn inspect model.onnx --image-size 224,224
        $ dynn inspect model.onnx --graph | less
      "
    `);
  });

  it("is the same however it is asked for", async () => {
    const asked = await cli("audit", "--help");
    expect(await cli("help", "audit")).toEqual(asked);
    expect(await cli("audit", "-h")).toEqual(asked);
  });

  it("fits in 80 columns, of every command and every command below one", async () => {
    const paths = await allPaths();
    expect(paths.length).toBeGreaterThan(20);
    for (const path of paths) {
      const { code, out } = await cli(...path, "--help");
      expect([path, code, out.split("\n").filter((line) => line.length > 80)]).toEqual([path, 0, []]);
    }
  });

  it("begins with the options that are often used, where there are many", async () => {
    const help = async (...path: string[]) => (await cli(...path, "--help")).out;
    for (const { path, options } of nodesOf(await program(SILENT))) {
      const text = await help(...path.split(" ").filter(Boolean));
      expect([path, text.includes("Often used:")]).toEqual([path, options.length > MANY]);
      if (options.length > MANY) expect(text).toMatch(/Often used:\n {2}[\s\S]*\n\nMore options:\n/);
      else expect(text).not.toContain("More options:");
    }
  });

  it("goes to standard error, with exit code 2, when no command is given", async () => {
    expect(await cli()).toEqual({ code: 2, out: "", err: (await cli("--help")).out });
  });
});

describe("dynn help", () => {
  it("of an unknown command is an error that guesses", async () => {
    const { code, out, err } = await cli("help", "audti");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("unknown command 'audti'. Did you mean audit?");
  });

  it("of a known command prints its help", async () => {
    expect(await cli("help", "transfer")).toEqual(await cli("transfer", "--help"));
    expect(await cli("help")).toMatchObject({ code: 0, out: expect.stringContaining("Usage: dynn") });
  });
});

describe("dynn --version", () => {
  it.each(["-v", "-V", "version"])("is %s too", async (word) => {
    expect(await cli(word)).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  });

  it("prints the version and nothing else", async () => {
    expect(await cli("--version")).toEqual({ code: 0, out: `${VERSION}\n`, err: "" });
  });
});

describe("a wrong call", () => {
  it("of an unknown command is refused with the nearest one", async () => {
    const { code, out, err } = await cli("adit", "model.onnx");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatchInlineSnapshot(`
      "error: dynn: unknown command 'adit'. Did you mean audit? Run \`dynn --help\` to see its arguments and options. [cli/usage]
      "
    `);
  });

  it("with an unknown option is refused", async () => {
    const { code, out, err } = await cli("inspect", "--verbose", "model.onnx");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatchInlineSnapshot(`
      "error: dynn inspect: unknown option '--verbose'. Run \`dynn inspect --help\` to see its arguments and options. [cli/usage]
      "
    `);
  });

  it("without a model is refused", async () => {
    const { code, out, err } = await cli("audit");
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatchInlineSnapshot(`
      "error: dynn audit: missing required argument 'model'. Run \`dynn audit --help\` to see its arguments and options. [cli/usage]
      "
    `);
  });
});
