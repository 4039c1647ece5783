# What `sam build` runs, in a copy of this folder, through the Makefile of the architecture that is built. Needs make and python3.13 with pip.
# Lambda's python3.13 has glibc 2.34, so every older tag will do; pip compares tags literally, so each one is named.
TAGS := manylinux_2_34 manylinux_2_28 manylinux_2_24 manylinux_2_17 manylinux2014
# botocore describes 400 services, a quarter of the layer; a client for one that is not named here fails at once, as unknown.
SERVICES := cloudwatch dynamodb kms lambda s3 secretsmanager sns ssm sts

# The names in a .pyc are those the functions will see, its validity does not hang on time stamps: the same build twice is the same bytes.
.PHONY: build-LogarchiveLayer
build-LogarchiveLayer:
	python3.13 -m pip install -qq --disable-pip-version-check --no-compile --no-deps --require-hashes --only-binary :all: \
		$(TAGS:%=--platform %_$(MACHINE)) --python-version 3.13 --implementation cp \
		--target "$(ARTIFACTS_DIR)/python" --requirement requirements.txt
	rm -rf "$(ARTIFACTS_DIR)/python/bin"
	cd "$(ARTIFACTS_DIR)/python/botocore/data" && find . -mindepth 1 -maxdepth 1 -type d $(SERVICES:%=! -name %) -exec rm -rf {} +
	cp -r logarchive "$(ARTIFACTS_DIR)/python/"
	find "$(ARTIFACTS_DIR)/python" -name __pycache__ -type d -prune -exec rm -rf {} +
	python3.13 -m compileall -q -j 0 --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /opt "$(ARTIFACTS_DIR)/python"
