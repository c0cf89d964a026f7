"""The Kubernetes manifest against the schemas of Kubernetes, and what its parts must say of each other."""

import sys

import kubernetes_validate
import yaml

VERSION = "1.30"


def main(path):
    with open(path) as file:
        documents = list(yaml.safe_load_all(file))
    for document in documents:
        kubernetes_validate.validate(document, VERSION, strict=True)
    kinds = {document["kind"]: document for document in documents}
    assert len(kinds) == len(documents) == 4, list(kinds)

    deployment = kinds["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    container = pod["containers"][0]
    labels = deployment["template"]["metadata"]["labels"]
    for selector in (
        deployment["selector"]["matchLabels"],
        kinds["Service"]["spec"]["selector"],
        kinds["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items(), f"{selector} does not select {labels}"

    arguments = dict(argument.removeprefix("--").split("=") for argument in container["args"] if "=" in argument)
    grace = pod["terminationGracePeriodSeconds"]
    needed = int(arguments["drain-timeout"]) + container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert grace > needed, f"the pod is killed after {grace} s, but may drain for {needed} s"

    assert container["ports"][0]["containerPort"] == int(arguments["port"])
    port = container["ports"][0]["name"]
    assert kinds["Service"]["spec"]["ports"][0]["targetPort"] == port
    for probe, endpoint in (("startupProbe", "/ready"), ("readinessProbe", "/ready"), ("livenessProbe", "/health")):
        assert container[probe]["httpGet"] == {"path": endpoint, "port": port}, probe
    assert container["resources"]["requests"] == container["resources"]["limits"]

    scaler = kinds["HorizontalPodAutoscaler"]["spec"]
    assert scaler["scaleTargetRef"]["name"] == kinds["Deployment"]["metadata"]["name"]
    assert "replicas" not in deployment, "the autoscaler and the manifest would both set the number of pods"
    print(f"{path}: {len(documents)} objects, valid for Kubernetes {VERSION}")


if __name__ == "__main__":
    main(sys.argv[1])
