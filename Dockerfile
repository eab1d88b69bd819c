# The image for Kubernetes (deploy/kuberay.yaml), or for any other machine with containers, without root:
#
#   docker build --build-arg VARIANT=cuda --tag YOUR_REGISTRY/tuner:cuda .
#   docker build --build-arg VARIANT=cpu --build-arg TORCH_INDEX=URL --tag YOUR_REGISTRY/tuner:cpu .     (PyTorch's index of CPU wheels)
#
# The wheels of torch bring CUDA's libraries, so both variants have one small base; the driver is the node's.
# deploy/rehearse_image.sh runs these steps in a clean root without a container runtime.
FROM debian:12.12-slim

ARG VARIANT=cuda
# wget: KubeRay's probes; procps: Ray's. A compiler: Triton builds a launcher for each kernel that torch.compile makes.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates procps python3.11 python3.11-venv wget \
 && if [ "$VARIANT" = cuda ]; then apt-get install -y --no-install-recommends gcc libc6-dev python3.11-dev; fi \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --uid 1000 --create-home tuner && python3.11 -m venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1
# What NVIDIA's container runtime gives: the GPUs, for computing.
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility

WORKDIR /opt/tuner
# The packages are a layer of their own: gigabytes, which a change of the code does not touch.
COPY pyproject.toml constraints.txt ./
ARG TORCH_INDEX=
RUN python -c "import tomllib; p = tomllib.load(open('pyproject.toml', 'rb'))['project']; print(*p['dependencies'], *p['optional-dependencies']['cluster'], 'setuptools', sep='\n')" > requirements.txt \
 && pip install --constraint constraints.txt ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} --requirement requirements.txt \
 && rm requirements.txt
RUN python -c "import sys, torch; built = 'cuda' if torch.version.cuda else 'cpu'; sys.exit(f'torch {torch.__version__} is not of the variant $VARIANT: see TORCH_INDEX' if built != '$VARIANT' else 0)"

COPY . .
RUN pip install --no-deps --no-build-isolation .

USER 1000:1000
WORKDIR /home/tuner
CMD ["python", "-m", "tuner.run", "--help"]
