#!/usr/bin/env bash
# Makes an image with the driver, the checkout and its .venv, so that a node is ready in minutes instead of
# downloading 6 GB. To be made again after a change of requirements.lock; a change of our own code needs none.
#
#   make cluster-source
#   clusters/aws_image.sh REGION KEY GROUP       e.g. clusters/aws_image.sh eu-central-1 my-key sg-0123456789abcdef0
#
# KEY is the name of an EC2 key pair whose private half lies in ~/.ssh/KEY.pem, GROUP the security group that
# clusters/aws_account.sh printed. The node on which the image is made is terminated at the end, whatever happens.
set -euo pipefail
[ $# -eq 3 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2; }
export AWS_DEFAULT_REGION=$1
key=$2
group=$3
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -f build/cluster-source/clusters/set_up_node.sh ] || { echo "run make cluster-source first" >&2; exit 2; }

node=$(aws ec2 run-instances --instance-type m7i.xlarge --key-name "$key" --security-group-ids "$group" \
    --image-id resolve:ssm:/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id \
    --block-device-mappings 'DeviceName=/dev/sda1,Ebs={VolumeSize=150,VolumeType=gp3}' --associate-public-ip-address \
    --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=fer-platform-image}]' \
    --query 'Instances[0].InstanceId' --output text)
trap 'aws ec2 terminate-instances --instance-ids "$node" >/dev/null' EXIT
aws ec2 wait instance-status-ok --instance-ids "$node"
address=$(aws ec2 describe-instances --instance-ids "$node" --query 'Reservations[0].Instances[0].PublicIpAddress' --output text)

reach="ssh -i $HOME/.ssh/$key.pem -o StrictHostKeyChecking=accept-new"
rsync --archive --delete -e "$reach" build/cluster-source/ "ubuntu@$address:fer-source/"
$reach "ubuntu@$address" bash fer-source/clusters/set_up_node.sh

aws ec2 stop-instances --instance-ids "$node" >/dev/null
aws ec2 wait instance-stopped --instance-ids "$node"
image=$(aws ec2 create-image --instance-id "$node" --name "fer-platform-$(date -u +%Y%m%d-%H%M)" --query ImageId --output text)
aws ec2 wait image-available --image-ids "$image"

cat <<END
Fill in, in ray_cluster.yaml:
  FILL_IN_KEY    $key
  FILL_IN_IMAGE  $image
END
